import Experiments
import Foundation
import HTTPTypes
import Load
import Logging
import ServiceLifecycle
import Shared
import Synchronization

/// A load without a fault, as the API and the page show it.
struct LoadView: Codable, Sendable, Equatable {
    enum State: String, Codable, Sendable {
        case running, stopping, finished
        /// Its generator failed; ``error`` says why.
        case failed
    }

    let id: String
    let profile: String
    var state: State
    /// Unix seconds.
    let startedAt: Double
    /// As asked for; nil where a ramp says.
    let shape: LoadShape
    let seed: UInt64
    var progress: LoadProgress?
    var summary: LoadSummary?
    var error: String?

    enum CodingKeys: String, CodingKey {
        case id, profile, state, shape, seed, progress, summary, error
        case startedAt = "started_at"
    }
}

/// Loads without chaos, one at a time, and the numbers of the last one.
///
/// ```
///   POST /api/load --> worker in the lab --> a line a second --> GET /api/load, event "load"
/// ```
final class LoadManager: Service, Sendable {
    /// The newest seconds of the current or last load that are kept.
    static let maxSeconds = 3600

    private struct State {
        var current: Record?
        var isShuttingDown = false
    }

    private struct Record {
        var view: LoadView
        let order: LoadWorkerOrder
        let stop = Latch()
        var seconds: [LoadSecond] = []
    }

    private let state = Mutex(State())
    private let worker: any LoadWorker
    /// Fills the stock up by this quantity of each product, so that no load fails because the shop is empty.
    private let restock: @Sendable (_ quantity: Int) async throws -> Void
    /// Nothing starts while everything is halted.
    private let isHalted: @Sendable () -> Bool
    private let events: EventHub
    private let live: LiveHistory
    private let logger: Logger
    private let queue: AsyncStream<String>
    private let enqueue: AsyncStream<String>.Continuation

    /// What the inventory takes at a time.
    private static let mostRestocked = 1_000_000.0

    init(
        worker: any LoadWorker, restock: @escaping @Sendable (_ quantity: Int) async throws -> Void,
        isHalted: @escaping @Sendable () -> Bool, events: EventHub, live: LiveHistory, logger: Logger
    ) {
        self.worker = worker
        self.restock = restock
        self.isHalted = isHalted
        self.events = events
        self.live = live
        self.logger = logger
        (queue, enqueue) = AsyncStream.makeStream(of: String.self, bufferingPolicy: .bufferingNewest(1))
    }

    // MARK: What callers ask

    /// - Parameter profile: its name.
    /// - Throws: ``Problem`` 423 while everything is halted, 409 while another load runs, 503 while the runner shuts
    ///   down.
    func start(_ order: LoadWorkerOrder, profile: String) throws -> LoadView {
        let view = try state.withLock { state in
            // Asked with the lock held: what has begun before a halt is there for its ``stopRunning()``.
            if isHalted() { throw Governor.Refusal.halted.problem(for: profile) }
            guard !state.isShuttingDown else {
                throw Problem.retryLater(.serviceUnavailable, "The runner is shutting down.", seconds: 5)
            }
            if let running = state.current?.view, running.isUnderWay {
                throw Problem.conflict(
                    "The load \(running.profile) (\(running.id)) is running; stop it with POST /api/load/stop.")
            }
            let view = LoadView(
                id: order.runID, profile: profile, state: .running, startedAt: UnixTime.now.seconds,
                shape: order.shape, seed: order.seed)
            state.current = Record(view: view, order: order)
            return view
        }
        events.publish("load", view)
        enqueue.yield(view.id)
        return view
    }

    /// Asks the running load to end in order; one that has ended is answered as it is.
    ///
    /// - Throws: ``Problem`` 404 when there never was one.
    func stop() throws -> LoadView {
        guard let view = stopRunning() ?? current()?.view else { throw Problem.notFound("No load has been started.") }
        return view
    }

    /// The same, for the kill switch.
    ///
    /// - Returns: the load that ends now; nil when none runs.
    func stopRunning() -> LoadView? {
        let view: LoadView? = state.withLock { state in
            guard let record = state.current, record.view.isUnderWay else { return nil }
            record.stop.open()
            state.current?.view.state = .stopping
            return state.current?.view
        }
        if let view { events.publish("load", view) }
        return view
    }

    /// The running or last load and its seconds from `since` on; nil when there never was one.
    func current(since: Int = 0) -> (view: LoadView, seconds: [LoadSecond])? {
        state.withLock { state in
            state.current.map { record in (record.view, record.seconds.filter { $0.t >= since }) }
        }
    }

    // MARK: The work

    func run() async throws {
        await withDiscardingTaskGroup { group in
            for await id in queue.cancelOnGracefulShutdown() { group.addTask { await self.execute(id) } }
            state.withLock { state in
                state.isShuttingDown = true
                state.current?.stop.open()
            }
        }
    }

    private func execute(_ id: String) async {
        guard let record = state.withLock({ $0.current }), record.view.id == id else { return }
        logger.info("load starts", metadata: ["load_id": "\(id)", "profile": "\(record.view.profile)"])
        let failure: String?
        do {
            await fillUp(for: try record.order.plan().mostRequests, unless: record.stop)
            // Whoever stops a load waits for what is under way, a timeout at most; the end of the runner does not.
            let abort = Latch()
            try await withTaskCancellationOrShutdownHandler {
                try await worker.run(record.order, stop: record.stop, abort: abort) { self.take($0) }
            } onEnd: {
                record.stop.open()
                abort.open()
            }
            failure = nil
        } catch {
            failure = "\(error)"
        }
        finish(failure)
        logger.info("load ended", metadata: ["load_id": "\(id)", "error": "\(failure ?? "none")"])
    }

    /// As far as it can be: a load may be wanted just because the inventory does not answer.
    private func fillUp(for requests: Double, unless stop: Latch) async {
        let quantity = Int(min(max(requests.rounded(.up), 1), Self.mostRestocked))
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                do { try await self.restock(quantity) } catch {
                    self.logger.warning("the stock was not filled up", metadata: ["error": "\(error)"])
                }
            }
            group.addTask { await stop.wait() }
            await group.next()
            group.cancelAll()
        }
    }

    private func take(_ line: LoadWorkerLine) {
        let view: LoadView? = state.withLock { state in
            switch line {
            case .progress(let progress):
                state.current?.view.progress = progress
                return state.current?.view
            case .second(let second):
                state.current?.seconds.append(second)
                if state.current?.seconds.count ?? 0 > Self.maxSeconds { state.current?.seconds.removeFirst() }
            case .summary(let summary):
                state.current?.view.summary = summary
            case .sample:
                break
            }
            return nil
        }
        if let view { events.publish("load", view) }
        if let view, case .progress(let progress) = line {
            live.add(LiveWindow.Second(progress, of: view.id, at: UnixTime.now.seconds))
        }
    }

    private func finish(_ failure: String?) {
        let view = state.withLock { state in
            let isWhole = state.current?.view.summary != nil
            state.current?.view.state = isWhole ? .finished : .failed
            if !isWhole { state.current?.view.error = failure ?? "the load was ended before its first request" }
            return state.current?.view
        }
        if let view { events.publish("load", view) }
    }
}

extension LoadView {
    var isUnderWay: Bool { state == .running || state == .stopping }
}

/// Runs `body`, and `onEnd` when its task is cancelled or the process shuts down in order.
private func withTaskCancellationOrShutdownHandler(
    _ body: () async throws -> Void, onEnd: @escaping @Sendable () -> Void
) async throws {
    try await withGracefulShutdownHandler {
        try await withTaskCancellationHandler(operation: body, onCancel: onEnd)
    } onGracefulShutdown: {
        onEnd()
    }
}
