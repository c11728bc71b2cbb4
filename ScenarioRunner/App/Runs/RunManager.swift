import DequeModule
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
///   stop(id) ----------------------------------^ its latch
/// ```
///
/// Its own end, at a graceful shutdown, stops every run and waits until their faults are gone.
final class RunManager: Service, Sendable {
    /// Finished runs that are remembered; their journals stay on disk.
    static let maxRemembered = 200
    /// Seconds of live traffic that are remembered: what the page's charts show.
    static let rememberedSeconds = 300

    fileprivate struct Record {
        var view: RunView
        let request: RunRequest
        let stop: Latch
        var journal: Journal?
    }

    fileprivate struct State {
        var records: [String: Record] = [:]
        /// Oldest first.
        var order: [String] = []
        var rateLimit: RateLimit
        /// For pages that open later.
        var recentSeconds: Deque<LiveWindow.Second> = []
        var isShuttingDown = false
    }

    private let state: Mutex<State>
    private let engine: any ChaosEngine
    private let execution: RunExecution
    private let folder: LabFolder
    private let events: EventHub
    private let logger: Logger
    private let queue: AsyncStream<String>
    private let enqueue: AsyncStream<String>.Continuation

    init(
        engine: any ChaosEngine, execution: RunExecution, folder: LabFolder, cooldown: Duration, events: EventHub,
        logger: Logger
    ) {
        state = Mutex(State(rateLimit: RateLimit(cooldown: cooldown)))
        self.engine = engine
        self.execution = execution
        self.folder = folder
        self.events = events
        self.logger = logger
        (queue, enqueue) = AsyncStream.makeStream(of: String.self, bufferingPolicy: .bufferingNewest(64))
    }

    // MARK: What callers ask

    /// Admits a run and starts it.
    ///
    /// - Throws: ``Problem``: 422 what the engine cannot do, 429 cooldown or no place, 409 the same experiment runs,
    ///   503 while the runner shuts down. Nothing has changed then.
    func start(_ request: RunRequest) throws -> RunView {
        if let refusal = engine.refusal(of: request.experiment) {
            throw Problem(
                .unprocessableContent, refusal.description,
                members: [
                    "file": .string(refusal.file), "line": .integer(Int64(refusal.line)),
                    "field": .string(refusal.field),
                ])
        }
        let id = Identifier.make(prefix: "RUN")
        let view = try state.withLock { state in
            guard !state.isShuttingDown else {
                throw Problem.retryLater(.serviceUnavailable, "The runner is shutting down.", seconds: 5)
            }
            try state.admit(id, request)
            let view = RunView(
                id: id, experiment: request.experiment.name, origin: request.origin, state: .starting,
                startedAt: UnixTime.now.seconds)
            state.records[id] = Record(view: view, request: request, stop: Latch())
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

    /// Asks a run to stop; its fault goes first. A finished run is answered as it is.
    ///
    /// - Throws: ``Problem`` 404 for an unknown run.
    func stop(_ id: String) throws -> RunView {
        let view = try state.withLock { state in
            guard var record = state.records[id] else { throw Self.unknown(id) }
            if record.view.state != .finished {
                record.view.state = .stopping
                state.records[id] = record
                record.stop.open()
            }
            return record.view
        }
        events.publish("run", view)
        return view
    }

    /// Newest first.
    var views: [RunView] {
        state.withLock { state in state.order.reversed().compactMap { state.records[$0]?.view } }
    }

    /// A run with its journal, once it has one.
    ///
    /// - Throws: ``Problem`` 404 for an unknown run.
    func details(_ id: String) throws -> (view: RunView, journal: Journal?) {
        try state.withLock { state in
            guard let record = state.records[id] else { throw Self.unknown(id) }
            return (record.view, record.journal)
        }
    }

    /// The last seconds of load, oldest first.
    var recentSeconds: [LiveWindow.Second] { state.withLock { Array($0.recentSeconds) } }

    var rateLimitStatus: RateLimitStatus { state.withLock { $0.rateLimit.status(at: .now) } }

    func resetRateLimit() {
        state.withLock { $0.rateLimit.reset() }
        publishRateLimit()
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
        for record in running { record.stop.open() }
    }

    private func execute(_ id: String) async {
        guard let record = state.withLock({ $0.records[id] }) else { return }
        logger.info("run starts", metadata: ["run_id": "\(id)", "experiment": "\(record.view.experiment)"])
        let journal = await execution.run(id: id, request: record.request, stop: record.stop) { progress in
            self.update(id, progress)
        }
        write(journal)
        finish(id, journal)
        logger.info("run ended", metadata: ["run_id": "\(id)", "verdict": "\(journal.verdict.rawValue)"])
    }

    private func update(_ id: String, _ progress: RunExecution.Progress) {
        let view: RunView? = state.withLock { state in
            switch progress {
            case .phase(let phase, let endsAt):
                state.records[id]?.view.phase = phase
                state.records[id]?.view.phaseEndsAt = endsAt?.seconds
                if state.records[id]?.view.state == .starting { state.records[id]?.view.state = .running }
                return state.records[id]?.view
            case .second(let second):
                state.records[id]?.view.live = second
                state.recentSeconds.append(second)
                if state.recentSeconds.count > Self.rememberedSeconds { state.recentSeconds.removeFirst() }
                return nil
            case .faultGone:
                state.rateLimit.end(id)
                return nil
            case .noEffect:
                state.rateLimit.cancel(id)
                return nil
            }
        }
        if let view { events.publish("run", view) }
        switch progress {
        case .second(let second): events.publish("second", second)
        case .faultGone, .noEffect: publishRateLimit()
        case .phase: break
        }
    }

    private func finish(_ id: String, _ journal: Journal) {
        let view: RunView? = state.withLock { state in
            state.rateLimit.end(id)
            state.records[id]?.journal = journal
            state.records[id]?.view.finish(journal)
            return state.records[id]?.view
        }
        publishRateLimit()
        if let view { events.publish("run", view) }
    }

    private func write(_ journal: Journal) {
        do {
            let file = folder.runs.appendingPathComponent("\(journal.runID).json")
            try journal.json().write(to: file, options: .atomic)
        } catch {
            logger.error("the journal cannot be written", metadata: ["error": "\(error)"])
        }
    }

    private func publishRateLimit() { events.publish("rate_limit", rateLimitStatus) }

    private static func unknown(_ id: String) -> Problem { .notFound("There is no run \(id).") }
}

extension RunManager.State {
    /// Refusals in the order of the contract: cooldown or no place, then conflicts.
    fileprivate mutating func admit(_ id: String, _ request: RunRequest) throws {
        let name = request.experiment.name
        let conflict = records.values.first { $0.view.state != .finished && $0.view.experiment == name }
        // Time for the fault to be put in force, verified and removed beyond its duration.
        let lease = request.totalDuration + .seconds(60)
        let refusal = rateLimit.admit(
            id, lease: lease, coolsDown: request.origin.coolsDown, at: .now, time: Date())
        switch refusal {
        case .coolingDown(let seconds):
            throw Problem.retryLater(
                .tooManyRequests, "Rate limit exceeded. Please wait \(seconds) seconds before the next experiment.",
                seconds: seconds, members: ["cooldown_remaining_seconds": .integer(Int64(seconds))])
        case .noPlace(let seconds):
            throw Problem.retryLater(
                .tooManyRequests, "Maximum concurrent chaos experiments (\(RateLimit.maxConcurrent)) reached.",
                seconds: seconds, members: ["active_experiments": .integer(Int64(RateLimit.maxConcurrent))])
        case nil: break
        }
        if let conflict {
            rateLimit.cancel(id)
            throw Problem.conflict(
                "\(name) already runs as \(conflict.view.id). Stop it first, or wait for its end.",
                members: ["run_id": .string(conflict.view.id)])
        }
    }

    fileprivate mutating func forgetOldest() {
        while order.count > RunManager.maxRemembered,
            let index = order.firstIndex(where: { records[$0]?.view.state == .finished })
        {
            records[order.remove(at: index)] = nil
        }
    }
}

extension RunView {
    fileprivate mutating func finish(_ journal: Journal) {
        state = .finished
        phase = nil
        phaseEndsAt = nil
        live = nil
        endedAt = UnixTime.now.seconds
        verdict = journal.verdict
        reasons = journal.reasons
        func rate(_ name: PhaseName) -> Double? {
            journal.phase(name).flatMap { $0.requests > 0 ? $0.successRate : nil }
        }
        successRate = SuccessRates(before: rate(.baseline), during: rate(.fault), after: rate(.recovery))
        recoveryTimeMs = journal.recoveryTimeMs
    }
}
