import Foundation
import HTTPTypes
import Load
import Logging
import ServiceLifecycle
import Shared
import Synchronization

/// Starts, stops and remembers Locust runs, one at a time.
///
/// ```
///   start(...) --(refusals)--> driver starts --> queue --> run(): follows it --> LOAD-....json, event stream
///   stop() -----------------------------------------^ its latch
/// ```
final class LocustService: Service, Sendable {
    let catalogue: LocustCatalogue
    let driver: any LocustDriver
    private let folder: LabFolder
    /// Nothing starts while everything is halted.
    private let isHalted: @Sendable () -> Bool
    private let events: EventHub
    private let live: LiveHistory
    private let logger: Logger
    private let state: Mutex<State>
    private let queue: AsyncStream<Item>
    private let enqueue: AsyncStream<Item>.Continuation

    private struct State {
        var desk: LocustDesk
        /// Of the run that has not ended.
        var stop = Latch()
        var isShuttingDown = false
    }

    private struct Item: Sendable {
        let id: String
        let started: StartedLocust
        let stop: Latch
    }

    init(
        catalogue: LocustCatalogue, driver: any LocustDriver, folder: LabFolder,
        isHalted: @escaping @Sendable () -> Bool, events: EventHub, live: LiveHistory, logger: Logger
    ) {
        self.catalogue = catalogue
        self.driver = driver
        self.folder = folder
        self.isHalted = isHalted
        self.events = events
        self.live = live
        self.logger = logger
        state = Mutex(State(desk: LocustDesk(finished: LocustFiles(folder: folder).finished())))
        (queue, enqueue) = AsyncStream.makeStream(of: Item.self, bufferingPolicy: .bufferingNewest(4))
    }

    // MARK: What callers ask

    var current: LocustRun? { state.withLock { $0.desk.current } }

    /// Newest first.
    var runs: [LocustRun] { state.withLock { $0.desk.runs.reversed() } }

    /// - Throws: ``Problem`` 404 for an unknown run.
    func run(_ id: String) throws -> LocustRun {
        guard let run = state.withLock({ $0.desk.run(id) }) else {
            throw Problem.notFound("There is no Locust run \(id).")
        }
        return run
    }

    /// Locust's own page about a run that has ended.
    ///
    /// - Throws: ``Problem`` 404 when there is none, 409 before the run's end.
    func report(_ id: String) throws -> Data {
        let run = try run(id)
        guard run.state == .finished else { throw Problem.conflict("The Locust run \(id) has not ended yet.") }
        guard let page = LocustFiles(folder: folder).page(of: id) else {
            throw Problem.notFound("The Locust run \(id) has no report: \(run.message ?? "Locust wrote none.")")
        }
        return page
    }

    /// Starts a run and answers at once.
    ///
    /// - Throws: ``Problem`` 423 while everything is halted, 409 when one runs, 503 when there is no Locust or the runner
    ///   shuts down, and the driver's.
    func start(_ profile: LocustProfile, users: Int, spawnRate: Double, runTime: Duration) async throws -> LocustRun {
        let order = LocustOrder(
            id: Identifier.make(prefix: "LOAD"), profile: profile, userCount: users, spawnRate: spawnRate,
            runTime: runTime)
        let stop = Latch()
        try state.withLock { state in
            // Asked with the lock held: what has begun before a halt is there for its ``stop()``.
            if isHalted() { throw Governor.Refusal.halted.problem(for: profile.name) }
            guard !state.isShuttingDown else { throw Self.shuttingDown }
            let run = LocustRun(order, driver: driver.name, startedAt: UnixTime.now.seconds)
            if let other = state.desk.admit(run) { throw Self.busy(other) }
            state.stop = stop
        }
        let started: StartedLocust
        do {
            // A caller who goes away must leave no master behind that nobody follows.
            started = try await uncancelled { [driver] in try await driver.start(order) }
        } catch {
            state.withLock { $0.desk.withdraw(order.id) }
            throw error
        }
        let run = change(order.id) { $0.began(order.id, note: started.note) }
        if case .terminated = enqueue.yield(Item(id: order.id, started: started, stop: stop)) {
            await started.abandon()
            state.withLock { $0.desk.withdraw(order.id) }
            throw Self.shuttingDown
        }
        return try run ?? self.run(order.id)
    }

    /// Asks the one that runs to end.
    ///
    /// - Returns: that one; nil when none runs.
    @discardableResult
    func stop() -> LocustRun? {
        let run: LocustRun? = state.withLock { state in
            let run = state.desk.stop()
            if run != nil { state.stop.open() }
            return run
        }
        if let run { events.publish("locust", run.withoutSummary) }
        return run
    }

    // MARK: The work

    /// Follows what is started until the task is cancelled or a graceful shutdown begins; then what runs is stopped, and
    /// has ended when this returns.
    func run() async throws {
        await withGracefulShutdownHandler {
            for await item in queue { await follow(item) }
        } onGracefulShutdown: {
            self.state.withLock { $0.isShuttingDown = true }
            self.stop()
            self.enqueue.finish()
        }
    }

    private func follow(_ item: Item) async {
        logger.info("locust starts", metadata: ["run_id": "\(item.id)"])
        let end = await item.started.follow(item.stop) { report in
            let second = report.second(at: UnixTime.now.seconds)
            let before = self.state.withLock { $0.desk.run(item.id)?.live }
            self.change(item.id) { $0.heard(item.id, second) }
            if let drawn = LiveWindow.Second(second, before: before, of: item.id) { self.live.add(drawn) }
        }
        let time = UnixTime.now.seconds
        // Its file first: who sees that it has ended may look for it.
        do { try LocustFiles(folder: folder).write(try run(item.id).ended(end, at: time)) } catch {
            logger.error("a locust run cannot be written", metadata: ["error": "\(error)"])
        }
        guard let run = change(item.id, { $0.ended(item.id, end, at: time) }) else { return }
        logger.info(
            "locust ended",
            metadata: [
                "run_id": "\(run.id)", "outcome": "\(run.outcome?.rawValue ?? "")", "said": "\(run.message ?? "")",
            ])
    }

    /// Changes the desk and tells the pages.
    ///
    /// - Returns: the run as it is now.
    @discardableResult
    private func change(_ id: String, _ change: (inout LocustDesk) -> Void) -> LocustRun? {
        let run = state.withLock { state in
            change(&state.desk)
            return state.desk.run(id)
        }
        if let run { events.publish("locust", run.withoutSummary) }
        return run
    }

    private static let shuttingDown = Problem.retryLater(
        .serviceUnavailable, "The runner is shutting down.", seconds: 5)

    private static func busy(_ run: LocustRun) -> Problem {
        let left = run.startedAt + Double(run.runTimeS) - UnixTime.now.seconds
        return .retryLater(
            .conflict, "Locust already runs \(run.file) as \(run.id). Stop it first, or wait for its end.",
            seconds: Int(left.rounded(.up)), members: ["run_id": .string(run.id)])
    }
}
