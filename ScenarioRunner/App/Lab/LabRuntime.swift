import Experiments
import Foundation
import Hummingbird
import Load
import Logging
import Sandbox
import ServiceLifecycle
import Shared
import UnixSignals

/// The lab itself: everything that runs on the router.
///
/// ```
///   network --> replicas (supervised) --> front door --> API and page --> runs --> "the lab is up"
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
        let events = EventHub()
        let failureModes = FailureModesStore(seed: settings.seed)
        let supervisor = Supervisor(commands: world.replicaCommands, logger: logger, seed: settings.seed)
        let board = FaultBoard()
        let engine = TimelineEngine(
            base: BoardedEngine(base: world.engine(supervisor: supervisor), board: board),
            tools: TimelineTools(
                setFailureModes: { modes in events.publish("failure_modes", failureModes.change { $0 = modes }) },
                areModesFollowed: { failureModes.isFollowed }, ask: StatusProbe(world: world).ask,
                willEnd: board.ends(_:at:)))
        let auditor = MoneyAuditor(
            client: client, paymentURL: world.paymentURL, inventoryURL: world.inventoryURL,
            notificationURL: world.notificationURL)
        let restock = Restock(client: client, inventoryURL: world.inventoryURL)
        let runs = RunManager(
            engine: engine,
            execution: RunExecution(
                engine: engine, load: LoadWorkerProcess(world: world),
                restock: restock.run, logger: logger,
                site: RunSite(findings: settings.findings, topology: world.topology),
                checkMoney: auditor.check(history:unless:), glanceAtMoney: auditor.glance,
                glanceAtBacklog: BacklogProbe(client: client, paymentURL: world.paymentURL).glance,
                resilience: ResilienceSwitch(store: failureModes, events: events)),
            folder: settings.folder,
            governor: Governor(
                cooldown: .seconds(settings.cooldownSeconds), allReplicas: Set(world.topology.replicas.map(\.name)),
                allowsTotal: settings.allowTotal),
            events: events, logger: logger)
        let loads = LoadManager(
            worker: LoadWorkerProcess(world: world), restock: restock.run, events: events, logger: logger)
        let locust = LocustService(
            catalogue: LocustCatalogue(folder: settings.locust.profilesFolder),
            driver: world.locustDriver(client: client), folder: settings.folder, events: events, logger: logger)
        let watch = TopologyWatch(
            topology: world.topology,
            sources: .init(
                statuses: { supervisor.snapshot() }, runs: { runs.activeViews },
                failureModes: { failureModes.settings.failureModes },
                failureModesHolder: { runs.failureModesHolder }, load: { loads.current(since: .max)?.view },
                locust: { locust.current }, metrics: MetricsReader(client: client).read),
            board: board, events: events)
        let api = try RunnerAPI(
            runs: RunsController(
                manager: runs, engine: engine, experimentsFolder: settings.experimentsFolder,
                profilesFolder: settings.profilesFolder,
                cooldownMinutes: Double(settings.cooldownSeconds) / 60),
            load: LoadController(
                manager: loads, profilesFolder: settings.profilesFolder, targets: world.loadTargets),
            topology: TopologyController(watch: watch),
            payments: PaymentsController(reader: PaymentStoryReader(client: client, paymentURL: world.paymentURL)),
            failureModes: failureModes, events: events, locust: locust
        ).application(host: world.network == nil ? "127.0.0.1" : "0.0.0.0", port: world.runnerPort, logger: logger)

        var services: [any Service] = [supervisor]
        services += try world.frontDoors(logger: logger)
        services += [api, runs, loads, locust, watch]
        services.append(Announcement(settings: settings, world: world, client: client))
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
