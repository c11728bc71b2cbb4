import Cluster
import Experiments
import Foundation
import Logging
import Sandbox
import ServiceLifecycle
import Shared
import UnixSignals

/// The runner that is no lab: in a pod of its cluster, at a person's desk with a kubeconfig, or in a plain container.
///
/// ```
///   pods followed --> leases swept --> doctor --> runner: API and page, runs, loads, picture
///                        started from left to right, ended from right to left
/// ```
struct ServeRuntime: Sendable {
    let settings: ServeSettings
    let logger: Logger

    /// All of the end: runs stopped, and their faults gone, which Chaos Mesh may take its time for. Below the 60 s that
    /// the manifest grants the pod.
    private static let gracefulTime = Duration.seconds(50)
    private static let cancellationTime = Duration.seconds(3)

    /// - Throws: ``LabError`` when the folder is another runner's or the port is taken, ``SettingsError`` when files are
    ///   missing.
    func run() async throws {
        let lock = try LabLock.take(in: settings.runner.folder, preparing: true)
        defer { lock.release() }
        let client = HTTPClient()
        var timing = ClusterTiming()
        timing.injection = settings.chaosTimeout
        timing.removal = settings.chaosTimeout
        let cluster = settings.access.map { [timing] in
            ChaosCluster($0, calls: SystemUnderTest.calls, timing: timing, logger: logger)
        }
        let findings = cluster.map { ClusterFindings(api: $0.api) }
        let runner = try Runner(
            settings: settings.runner, site: site(cluster, findings, client),
            address: .init(host: settings.host, port: settings.port, callers: settings.callers), client: client,
            logger: logger)
        logger.info(
            "the runner starts",
            metadata: [
                "server": "\(settings.access?.server ?? "none")",
                "namespace": "\(settings.access?.namespace ?? "none")",
                "seed": "\(settings.runner.seed)",
            ])
        var services = cluster?.services ?? []
        if let findings { services.append(findings) }
        var configuration = ServiceGroupConfiguration(
            services: services + runner.services, gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        configuration.maximumGracefulShutdownDuration = Self.gracefulTime
        configuration.maximumCancellationDuration = Self.cancellationTime
        do {
            try await ServiceGroup(configuration: configuration).run()
        } catch {
            throw LabError("the runner cannot run: \(error)")
        }
        await client.shutdown()
        await cluster?.api.shutdown()
    }

    private func site(
        _ cluster: ChaosCluster?, _ findings: ClusterFindings?, _ client: HTTPClient
    ) -> Runner.Site {
        let executable = NamespaceLauncher.ownExecutable
        guard let cluster else {
            let system = SystemUnderTest(unseen: settings.targets, executable: executable)
            return Runner.Site(system: system, engine: NoEngine(), journal: RunSite(system: system))
        }
        let system = SystemUnderTest(
            pods: cluster.pods, targets: settings.targets, access: cluster.api.access, executable: executable)
        let (engine, timing) = (cluster.engine, cluster.api.timing)
        let witness = PathWitness(system: system, client: client)
        return Runner.Site(
            system: system, engine: WitnessedEngine(base: engine, witness: witness),
            preflight: { try await engine.preflight($0) },
            // What did not take is taken back before anybody says why: at worst with its finalizers given up twice.
            injectionTime: timing.injection + timing.removal + timing.forcedRemoval * 2 + timing.request,
            witness: witness, journal: RunSite(findings: { findings?.current() ?? [] }, system: system))
    }
}
