import Experiments
import Foundation
import Load
import Logging
import Sandbox
import ServiceLifecycle
import Shared
import Synchronization
import TestSupport
import Testing
import Verdict

@testable import ScenarioRunner

/// The runner without a lab: its manager and its API are real, the faults, the load and the stock are not.
///
/// ```
///   HTTP --> RunnerAPI --> RunManager --> RunExecution --> FakeEngine, FakeLoad, restock
///                                             '--> journals in a temporary folder
/// ```
struct RunnerLab: Sendable {
    struct Options: Sendable {
        var engine = FakeEngine()
        /// Acts in place of ``engine``.
        var otherEngine: (any ChaosEngine)?
        var load = FakeLoad()
        var cooldown = Duration.zero
        /// False leaves the manager's work to the test.
        var works = true
        var restock: @Sendable (Int) async throws -> Void = { _ in }
        /// What the comparison of the books finds.
        var money = MoneyCheck(checked: 1)
        /// How long a fault that does not go is asked to go again.
        var removalTime = Duration.milliseconds(20)
        /// How long the replicas have to take up other resilience settings.
        var followTime = Duration.seconds(5)
        /// Every replica of every service, where it matters whether a fault touches all of them.
        var allReplicas: Set<String> = []
        var allowsTotal = false
        /// Whether a runner on the same folder knows of a halt.
        var remembersHalt = false
        /// Looks whether an experiment can begin now.
        var preflight: @Sendable (Experiment) async throws -> Void = { _ in }
        /// How long a trigger waits for its fault.
        var injectionTime: Duration?
        /// Where a load without chaos goes to.
        var loadTarget = "http://127.0.0.1:1"
        /// How the replicas' processes do.
        var statuses: @Sendable () -> [ReplicaStatus] = { [] }
        /// Of a cluster that is seen from outside; nil in the lab.
        var namespace: String?
        /// What the picture of the system is made from, besides what the lab has itself.
        var sources = TopologyWatch.Sources()
        /// Whose requests it takes.
        var callers = CallerRule()
        var locust: @Sendable (LabFolder) -> any LocustDriver = { _ in FakeLocust() }

        /// The lab's own.
        var system: SystemUnderTest {
            SystemUnderTest(
                replicas: { [statuses] in LabTopology().replicas(statuses()) }, targets: .init(all: loadTarget),
                executable: "/nowhere", namespace: namespace, reachesReplicas: namespace == nil)
        }
    }

    let engine: FakeEngine
    let load: FakeLoad
    let manager: RunManager
    let api: RunnerAPI
    let folder: LabFolder
    let events: EventHub
    let live: LiveHistory
    let loads: LoadManager
    /// An empty folder for load profiles.
    let profiles: URL
    let locust: LocustService
    let watch: TopologyWatch

    private init(_ options: Options, root: URL) throws {
        engine = options.engine
        let board = FaultBoard()
        let acting = BoardedEngine(base: options.otherEngine ?? options.engine, board: board)
        load = options.load
        folder = LabFolder(path: root.appendingPathComponent("state").path)
        try folder.prepare()
        events = EventHub()
        let live = LiveHistory(events: events)
        self.live = live
        let failureModes = FailureModesStore(seed: 1, onChange: { live.mark($0) })
        let logger = Logger(label: "runner-lab") { _ in SwiftLogNoOpLogHandler() }
        manager = Self.manager(options, acting, folder, failureModes, live, logger)
        profiles = root.appendingPathComponent("profiles")
        try FileManager.default.createDirectory(at: profiles, withIntermediateDirectories: true)
        let isHalted = { @Sendable [manager] in manager.isHalted }
        loads = LoadManager(
            worker: LocalLoadWorker(), restock: options.restock, isHalted: isHalted, events: events, live: live,
            logger: logger)
        locust = LocustService(
            catalogue: LocustCatalogue(folder: try Self.locustFiles(in: root)),
            driver: options.locust(folder), folder: folder, isHalted: isHalted, events: events, live: live,
            logger: logger)
        var sources = options.sources
        sources.runs = { [manager] in manager.activeViews }
        sources.failureModes = { failureModes.settings.failureModes }
        sources.load = { [loads] in loads.current(since: .max)?.view }
        watch = TopologyWatch(
            system: options.system, engine: acting.name, sources: sources, board: board, events: events)
        api = RunnerAPI(
            runs: RunsController(
                manager: manager, engine: acting,
                experiments: ExperimentFolder(
                    path: try Self.experiments(in: root), refusal: { acting.refusal(of: $0) }, events: events),
                profilesFolder: profiles.path,
                cooldownMinutes: options.cooldown.seconds / 60, injectionTime: options.injectionTime),
            load: LoadController(
                manager: loads, profilesFolder: profiles.path, targets: .init(all: options.loadTarget)),
            topology: TopologyController(watch: watch),
            payments: PaymentsController(
                reader: PaymentStoryReader(client: HTTPClient(), paymentURL: "http://127.0.0.1:1")),
            system: SystemController(
                look: SystemLook(
                    system: options.system, client: HTTPClient(), runs: { [manager] in manager.activeViews }),
                checkMoney: { options.money }),
            failureModes: failureModes, events: events, live: live, locust: locust)
    }

    private static func manager(
        _ options: Options, _ engine: any ChaosEngine, _ folder: LabFolder, _ failureModes: FailureModesStore,
        _ live: LiveHistory, _ logger: Logger
    ) -> RunManager {
        RunManager(
            engine: engine,
            execution: RunExecution(
                engine: engine, load: options.load, restock: options.restock, logger: logger,
                site: RunSite(system: options.system),
                checkMoney: { _, _ in options.money },
                resilience: ResilienceSwitch(store: failureModes, events: live.events, followTime: options.followTime),
                removalTime: options.removalTime),
            folder: folder,
            governor: Governor(cooldown: options.cooldown, allowsTotal: options.allowsTotal),
            haltMark: options.remembersHalt ? HaltMark(folder: folder, logger: logger) : nil,
            allReplicas: { options.allReplicas }, preflight: options.preflight, events: live.events,
            live: live, logger: logger)
    }

    /// The manager of a runner that starts anew on the same folder.
    func restarted(
        remembersHalt: Bool = false, logger: Logger = Logger(label: "restarted") { _ in SwiftLogNoOpLogHandler() }
    ) -> RunManager {
        var options = Options()
        options.remembersHalt = remembersHalt
        return Self.manager(
            options, options.engine, folder, FailureModesStore(seed: 1), LiveHistory(events: EventHub()), logger)
    }

    /// Runs `body` beside the manager's work, and ends that in order afterwards.
    static func run(
        _ options: Options = Options(), _ body: @Sendable @escaping (RunnerLab) async throws -> Void
    ) async throws {
        let root = FileManager.default.temporaryDirectory.appendingPathComponent("runner-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: root) }
        let lab = try RunnerLab(options, root: root)
        try await withThrowingTaskGroup(of: Void.self) { group in
            if options.works {
                group.addTask { try await lab.manager.run() }
                group.addTask { try await lab.loads.run() }
                group.addTask { try await lab.locust.run() }
                group.addTask { try await lab.watch.run() }
            }
            defer { group.cancelAll() }
            try await body(lab)
        }
    }

    /// The same, with the API on a real socket.
    static func serve(
        _ options: Options = Options(), _ body: @Sendable @escaping (RunnerLab, TestServer) async throws -> Void
    ) async throws {
        try await run(options) { lab in
            try await withServer(
                routes: lab.api.routes(),
                configure: { settings in
                    settings.headers = RunnerAPI.headers
                    settings.check = options.callers.check
                }
            ) { server in
                try await body(lab, server)
            }
        }
    }

    /// Returns the run once it has ended.
    func ended(_ id: String) async throws -> (view: RunView, journal: Journal) {
        try await eventually("the end of \(id)") { try manager.details(id).view.state == .finished }
        let (view, journal) = try manager.details(id)
        return (view, try #require(journal))
    }

    func view(_ id: String) -> RunView? { try? manager.details(id).view }

    // MARK: Experiments

    /// A fault that is over at once, or at the latest when it is stopped.
    static func request(
        _ name: String = "loss-a", origin: RunRequest.Origin = .commandLine, rate: Int = 0,
        baseline: Duration = .milliseconds(30), fault: Duration = .milliseconds(30),
        recovery: Duration = .milliseconds(30)
    ) throws -> RunRequest {
        let text = manifests.values.joined(separator: "---\n")
        let experiments = ManifestLoader.load(text, file: "made-up.yaml").experiments
        return RunRequest(
            experiment: try #require(experiments.first { $0.name == name }), origin: origin, baseline: baseline,
            duration: fault, recovery: recovery, rate: rate, seed: 7)
    }

    /// `loss-a` to `loss-d` and `stress-a` can be run; `delay-a`, `schedule-a` and everything else cannot.
    private static let manifests: [String: String] = [
        "1-loss.yaml": ["a", "b", "c", "d"].map {
            network("loss-\($0)", "action: loss\n  loss: {loss: \"80\"}\n  duration: 5m")
        }.joined(separator: "---\n"),
        "2-delay.yaml": network("delay-a", "action: delay\n  delay: {latency: 200ms}\n  device: eth0"),
        "3-stress.yaml": manifest(
            "StressChaos", "stress-a", "mode: all\n  selector: {}\n  stressors: {cpu: {workers: 2, load: 80}}"),
    ]

    private static func network(_ name: String, _ spec: String) -> String {
        manifest("NetworkChaos", name, "mode: all\n  selector: {}\n  \(spec)")
    }

    private static func manifest(_ kind: String, _ name: String, _ spec: String) -> String {
        """
        apiVersion: chaos-mesh.org/v1alpha1
        kind: \(kind)
        metadata:
          name: \(name)
          annotations: {payment-chaos.io/description: About \(name)}
        spec:
          \(spec)

        """
    }

    /// Two profiles, and what is none: a file to import, a link out of the folder, a folder, a text.
    private static func locustFiles(in root: URL) throws -> String {
        let folder = root.appendingPathComponent("locust")
        try FileManager.default.createDirectory(
            at: folder.appendingPathComponent("folder.py"), withIntermediateDirectories: true)
        let files = [
            "shopper.py": "\"\"\"Buys\"\"\"\nclass Shopper(FastHttpUser):\n", "walker.py": "class Walker(HttpUser):\n",
            "_shared.py": "a = 1", "notes.txt": "a", "../outside.py": "class Out(HttpUser):",
        ]
        for (name, text) in files { try Data(text.utf8).write(to: folder.appendingPathComponent(name)) }
        try FileManager.default.createSymbolicLink(
            at: folder.appendingPathComponent("link.py"),
            withDestinationURL: root.appendingPathComponent("outside.py"))
        return folder.path
    }

    private static func experiments(in root: URL) throws -> String {
        let folder = root.appendingPathComponent("experiments")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        for (name, text) in manifests { try Data(text.utf8).write(to: folder.appendingPathComponent(name)) }
        return folder.path
    }
}

/// The load worker's work, in this process: real requests.
struct LocalLoadWorker: LoadWorker {
    func run(
        _ order: LoadWorkerOrder, stop: Latch, abort: Latch, onLine: @escaping @Sendable (LoadWorkerLine) -> Void
    ) async throws {
        var observer = LoadSession.Observer()
        if order.tellsSamples { observer.onSample = { onLine(.sample($0)) } }
        observer.onSecond = { onLine(.second($0)) }
        observer.onProgress = { onLine(.progress($0)) }
        let generator = try LoadGenerator(plan: order.plan(), observer: observer)
        let profile = try order.readProfile()
        let work = Task { onLine(.summary(await generator.run().completed(by: profile, baseURL: order.baseURL))) }
        let stopping = Task {
            await stop.wait()
            generator.stop()
            _ = await abort.wait()
            work.cancel()
        }
        await withTaskCancellationHandler {
            await work.value
        } onCancel: {
            work.cancel()
        }
        stopping.cancel()
    }
}

extension JSONValue {
    /// Of an array; none for anything else.
    var elements: [JSONValue] {
        guard case .array(let elements) = self else { return [] }
        return elements
    }
}

extension EventHub {
    /// The events from now on, without those before them.
    func subscribe() -> AsyncStream<Event>? { subscribe(after: nil)?.events }
}
