import Foundation
import Logging
import Sandbox
import ServiceLifecycle
import Shared
import UnixSignals

/// The lab itself: everything that runs on the router.
///
/// ```
///   network --> replicas (supervised) --> front door --> runner --> "the lab is up"
///                          started from left to right, ended from right to left
/// ```
struct LabRuntime: Sendable {
    let settings: LabSettings
    let listeners: [ListeningSocket]
    /// Opened when the outer process asks for an orderly end.
    let stop: Latch

    /// All of the end: runs stopped, faults removed, replicas ended. With the kill of what is left it stays under 10 s.
    private static let gracefulTime = Duration.seconds(8)

    func run() async throws {
        let logger = try LabLog.start(in: settings.folder)
        let world = try await LabWorld(settings: settings, listeners: listeners)
        let client = HTTPClient()
        let supervisor = Supervisor(commands: world.replicaCommands, logger: logger, seed: settings.seed)
        let system = world.system(statuses: supervisor.snapshot)
        let runner = try Runner(
            settings: settings.runner,
            site: .init(
                system: system, engine: world.engine(supervisor: supervisor),
                journal: RunSite(findings: { [findings = settings.findings] in findings }, system: system)),
            address: .init(
                host: world.network == nil ? "127.0.0.1" : "0.0.0.0", port: world.runnerPort, callers: .thisMachine),
            client: client, logger: logger)

        var services: [any Service] = [supervisor]
        services += try world.frontDoors(logger: logger)
        services += runner.services
        services.append(Announcement(settings: settings, world: world, client: client, warning: runner.warning))
        try await runAll(services, logger: logger)
        await client.shutdown()
        do {
            try await world.controlGroups?.remove()
        } catch {
            logger.warning("cgroup folders are left for the next start", metadata: ["error": "\(error)"])
        }
    }

    private func runAll(_ services: [any Service], logger: Logger) async throws {
        var all = services.map { ServiceGroupConfiguration.ServiceConfiguration(service: $0) }
        all.append(.init(service: StopWatch(stop: stop), successTerminationBehavior: .gracefullyShutdownGroup))
        // Inside the namespaces the outer process takes the signals and asks through `stop`.
        var configuration = ServiceGroupConfiguration(
            services: all, gracefulShutdownSignals: settings.plain ? [.sigint, .sigterm, .sighup] : [], logger: logger)
        configuration.maximumGracefulShutdownDuration = Self.gracefulTime
        configuration.maximumCancellationDuration = .seconds(1)
        try await ServiceGroup(configuration: configuration).run()
    }
}

/// Ends, and with it the lab, when the latch opens.
private struct StopWatch: Service {
    let stop: Latch

    func run() async throws {
        await cancelWhenGracefulShutdown { await stop.wait() }
    }
}

/// The runner's own log: JSON lines in the lab's folder, so that the terminal stays readable.
enum LabLog {
    static func start(in folder: LabFolder) throws -> Logger {
        let file = folder.logs.appendingPathComponent("scenario-runner.log")
        let descriptor = open(file.path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_TRUNC, 0o644)
        guard descriptor >= 0 else { throw LabError("cannot write to \(file.path)") }
        let write: @Sendable (Data) -> Void = { line in
            line.withUnsafeBytes { bytes in _ = Foundation.write(descriptor, bytes.baseAddress, bytes.count) }
        }
        LoggingSystem.bootstrap { _ in JSONLogHandler(service: "scenario-runner", write: write) }
        return Logger(label: "scenario-runner")
    }
}
