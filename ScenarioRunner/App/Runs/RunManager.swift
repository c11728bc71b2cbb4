import Experiments
import Foundation
import HTTPTypes
import Logging
import ServiceLifecycle
import Shared
import Synchronization
import Verdict

/// Starts, stops and remembers runs.
///
/// ```
///   start(request) --(refusals)--> queue --> run(): one child task a run --> journal on disk, event stream
///   stop(id), halt() --------------------------^ its stop signal
/// ```
///
/// Its own end, at a graceful shutdown, stops every run and waits until their faults are gone.
final class RunManager: Service, Sendable {
    /// Finished runs that are remembered; their journals stay on disk.
    static let maxRemembered = 200
    /// How long a halt waits for the last fault to go.
    static let haltTime = Duration.seconds(10)

    private let state: Mutex<State>
    private let engine: any ChaosEngine
    private let execution: RunExecution
    /// Every replica of every service that there is now.
    private let allReplicas: @Sendable () -> Set<String>
    /// Looks whether an experiment can begin now.
    private let preflight: @Sendable (Experiment) async throws -> Void
    private let store: JournalStore
    /// Nil where a halt ends with the runner.
    private let haltMark: HaltMark?
    private let events: EventHub
    private let live: LiveHistory
    private let logger: Logger
    private let queue: AsyncStream<String>
    private let enqueue: AsyncStream<String>.Continuation

    init(
        engine: any ChaosEngine, execution: RunExecution, folder: LabFolder, governor: Governor,
        haltMark: HaltMark? = nil, allReplicas: @escaping @Sendable () -> Set<String>,
        preflight: @escaping @Sendable (Experiment) async throws -> Void = { _ in }, events: EventHub,
        live: LiveHistory, logger: Logger
    ) {
        store = JournalStore(folder: folder.runs, logger: logger)
        self.haltMark = haltMark
        var governor = governor
        if haltMark?.isSet == true { governor.halt() }
        state = Mutex(State(past: store.readNewest().map { RunView($0) }, governor: governor))
        self.engine = engine
        self.execution = execution
        self.allReplicas = allReplicas
        self.preflight = preflight
        self.events = events
        self.live = live
        self.logger = logger
        (queue, enqueue) = AsyncStream.makeStream(of: String.self, bufferingPolicy: .bufferingNewest(64))
    }

    // MARK: What callers ask

    /// Starts a run when the engine has looked whether it can begin now: in a cluster others have to do their part.
    ///
    /// - Throws: as ``start(_:)``, and ``Problem`` 503 with what is missing in the cluster.
    func startWhenReady(_ request: RunRequest) async throws -> RunView {
        // What would be refused anyhow is not looked at any further.
        let plan = try plan(request.experiment, seed: request.seed)
        let all = allReplicas()
        try state.withLock { state in
            var trial = state
            trial.governor.allReplicas = all
            try trial.admit("trial", request, plan)
        }
        do { try await preflight(request.experiment) } catch { throw Problem.answer(to: error) }
        return try start(request)
    }

    /// Waits until the fault of a run is in force. When that is not decided in time, the run is stopped: nothing is to
    /// begin after it was said that it has not.
    ///
    /// - Throws: ``Problem`` with the reason when it is not.
    func waitForFault(of id: String, within limit: Duration) async throws {
        let isDecided = await state.withLock({ $0.records[id]?.isDecided })?.wait(until: .now + limit)
        guard let record = state.withLock({ $0.records[id] }) else { throw Self.unknown(id) }
        guard !record.wasInForce else { return }
        if isDecided != true { _ = try stop(id) }
        throw Problem.notInForce(record.view, record.injectionFailure, within: isDecided == true ? nil : limit)
    }

    /// Admits a run and starts it.
    ///
    /// - Throws: ``Problem``: 422 what the engine cannot do, 423 everything is halted, 429 cooldown or no place, 409
    ///   conflict, 503 while the runner shuts down. Nothing has changed then.
    func start(_ request: RunRequest) throws -> RunView {
        let plan = try plan(request.experiment, seed: request.seed)
        let id = Identifier.make(prefix: "RUN")
        let all = allReplicas()
        let view = try state.withLock { state in
            state.governor.allReplicas = all
            guard !state.isShuttingDown else {
                throw Problem.retryLater(.serviceUnavailable, "The runner is shutting down.", seconds: 5)
            }
            try state.admit(id, request, plan)
            let view = RunView(
                id: id, experiment: request.experiment.name, origin: request.origin, state: .starting,
                startedAt: UnixTime.now.seconds)
            state.records[id] = Record(view: view, request: request)
            state.order.append(id)
            state.forgetOldest()
            return view
        }
        publishRateLimit()
        events.publish("run", view)
        // Last, so that nobody hears of its first phase before its start.
        enqueue.yield(id)
        return view
    }

    var journals: JournalFiles { store.files }

    /// What a run would do, whether it may start now or not.
    ///
    /// - Throws: ``Problem`` 422 for what the engine cannot do, 503 when a cluster cannot do it now.
    func plan(_ experiment: Experiment, seed: UInt64) throws -> FaultPlan {
        do {
            if let refusal = engine.refusal(of: experiment) { throw refusal }
            return try engine.plan(experiment, seed: seed)
        } catch {
            throw Problem.answer(to: error)
        }
    }

    /// Whether no run may do this, whatever else is in force: every replica of every service at once.
    func isTooWide(_ plan: FaultPlan) -> Bool {
        let all = allReplicas()
        return state.withLock { state in
            state.governor.allReplicas = all
            return state.governor.isTooWide(plan)
        }
    }

    /// Asks a run to stop; its fault goes first. A finished run is answered as it is.
    ///
    /// - Throws: ``Problem`` 404 for an unknown run.
    func stop(_ id: String) throws -> RunView {
        let view = try state.withLock { state in
            guard var record = state.records[id] else { return try state.pastView(id) }
            if record.view.state != .finished {
                record.view.state = .stopping
                state.records[id] = record
                record.stop.stop("the run was stopped")
            }
            return record.view
        }
        events.publish("run", view)
        return view
    }

    /// Newest first.
    var views: [RunView] {
        state.withLock { state in state.order.reversed().compactMap { state.records[$0]?.view } + state.past }
    }

    /// Those that have not ended, oldest first.
    var activeViews: [RunView] {
        state.withLock { state in
            state.order.compactMap { state.records[$0]?.view }.filter { $0.state != .finished }
        }
    }

    /// The run that switches the payment failures now.
    var failureModesHolder: String? {
        state.withLock { state in
            state.records.first { _, record in
                guard case .failureModes = record.request.experiment.spec else { return false }
                return record.view.state != .finished && record.view.phase == .fault
            }?.key
        }
    }

    /// A run with its journal, once it has one. That of a run before the runner's start is read from disk.
    ///
    /// - Throws: ``Problem`` 404 for an unknown run.
    func details(_ id: String) throws -> (view: RunView, journal: Journal?) {
        if let record = state.withLock({ $0.records[id] }) { return (record.view, record.journal) }
        let view = try state.withLock { try $0.pastView(id) }
        return (view, try? store.read(id))
    }

    /// The run that has set the resilience of the services for its own time.
    var resilienceHolder: String? { state.withLock { $0.resilienceHolder } }

    var rateLimitStatus: RateLimitStatus { state.withLock { $0.governor.status(at: .now) } }

    func resetRateLimit() {
        state.withLock { $0.governor.resetCooldown() }
        publishRateLimit()
    }

    // MARK: The kill switch

    var isHalted: Bool { state.withLock { $0.governor.isHalted } }

    /// From now on nothing starts; what runs is stopped, and its faults are gone when this returns.
    ///
    /// - Parameter stopOthers: stops what is no run, and names it; called once nothing can start any more.
    /// - Returns: what was stopped, and the runs whose faults are still there after ``haltTime``.
    func halt(_ stopOthers: () -> [String] = { [] }) async -> (stopped: [String], remaining: [String]) {
        let running = state.withLock { state in
            state.governor.halt()
            return state.records.filter { $0.value.view.state != .finished }
        }
        for record in running.values { record.stop.stop("everything was halted") }
        let others = stopOthers()
        publishRateLimit()
        events.publish("halt", HaltStatus(isHalted: true))
        // Last: nothing that is to end waits for a disk.
        haltMark?.keep { isHalted }
        logger.warning("halted", metadata: ["stopped": "\(running.keys.sorted() + others)"])
        let deadline = ContinuousClock.now + Self.haltTime
        for record in running.values { _ = await record.isFaultGone.wait(until: deadline) }
        let remaining = running.filter { !$0.value.isFaultGone.isOpen }
        return (running.keys.sorted() + others, remaining.keys.sorted())
    }

    func rearm() {
        state.withLock { $0.governor.rearm() }
        publishRateLimit()
        events.publish("halt", HaltStatus(isHalted: false))
        haltMark?.keep { isHalted }
        logger.warning("re-armed")
    }

    // MARK: The work

    /// Runs what is started until the task is cancelled or a graceful shutdown begins.
    func run() async throws {
        await withDiscardingTaskGroup { group in
            for await id in queue.cancelOnGracefulShutdown() { group.addTask { await self.execute(id) } }
            stopAll()
        }
    }

    private func stopAll() {
        let running = state.withLock { state in
            state.isShuttingDown = true
            return state.records.values.filter { $0.view.state != .finished }
        }
        for record in running { record.stop.stop("the run was stopped") }
    }

    private func execute(_ id: String) async {
        guard let record = state.withLock({ $0.records[id] }) else { return }
        logger.info("run starts", metadata: ["run_id": "\(id)", "experiment": "\(record.view.experiment)"])
        let journal = await execution.run(
            id: id, request: record.request, stop: record.stop, keep: store.write,
            onProgress: { self.update(id, $0) })
        store.write(journal)
        writeReport(journal)
        finish(id, journal)
        logger.info("run ended", metadata: ["run_id": "\(id)", "verdict": "\(journal.verdict.rawValue)"])
    }

    private func update(_ id: String, _ progress: RunExecution.Progress) {
        let view: RunView? = state.withLock { state in
            switch progress {
            case .phase(let phase, let endsAt):
                state.records[id]?.view.phase = phase
                state.records[id]?.view.phaseEndsAt = endsAt?.seconds
                if phase == .fault {
                    state.records[id]?.wasInForce = true
                    state.records[id]?.isDecided.open()
                }
                if state.records[id]?.view.state == .starting { state.records[id]?.view.state = .running }
                return state.records[id]?.view
            case .second(let second):
                state.records[id]?.view.live = second
                return nil
            case .injectionFailed(let error):
                state.records[id]?.injectionFailure = error
                state.records[id]?.isDecided.open()
                return nil
            case .faultGone:
                state.governor.end(id)
                state.records[id]?.isFaultGone.open()
                return nil
            case .faultStays:
                state.records[id]?.hasStuckFault = true
                return nil
            case .noEffect:
                state.governor.cancel(id)
                state.records[id]?.isFaultGone.open()
                return nil
            }
        }
        if let view { events.publish("run", view) }
        switch progress {
        case .second(let second): live.add(second)
        case .faultGone, .noEffect: publishRateLimit()
        case .phase, .faultStays, .injectionFailed: break
        }
    }

    private func finish(_ id: String, _ journal: Journal) {
        let view: RunView? = state.withLock { state in
            // A fault that could not be removed keeps its place until its lease ends.
            if state.records[id]?.hasStuckFault == false {
                state.governor.end(id)
                state.records[id]?.isFaultGone.open()
            }
            state.records[id]?.journal = journal
            state.records[id]?.view.finish(journal, at: UnixTime.now.seconds)
            state.records[id]?.isDecided.open()
            return state.records[id]?.view
        }
        publishRateLimit()
        if let view { events.publish("run", view) }
    }

    /// Beside the journal, for people.
    private func writeReport(_ journal: Journal) {
        do {
            try journals.writeReport(journal)
        } catch {
            logger.error("the report cannot be written", metadata: ["error": "\(error)"])
        }
    }

    private func publishRateLimit() { events.publish("rate_limit", rateLimitStatus) }

    static func unknown(_ id: String) -> Problem { .notFound("There is no run \(id).") }
}
