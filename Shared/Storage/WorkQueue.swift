import Dispatch
import Synchronization

/// The body of one `read` or `write`, on its way to a thread that may block.
struct StoreJob: Sendable {
    typealias Acknowledge = @Sendable () -> Void
    /// Whether the body gets a snapshot on which nothing can be changed, for stores with one line for both.
    var isRead = false
    /// Runs the body. Its caller goes on when the acknowledgement is called, after the commit.
    let run: @Sendable (any SQLConnection) throws -> Acknowledge
    /// Ends the caller's wait with an error.
    let fail: @Sendable (any Error) -> Void
}

/// The way from callers, which suspend, to servers, which block: a ``WorkLine`` with a lock and a clock.
///
/// Each caller waits until its deadline at most, whatever the servers do: an alarm ends the waits, not the servers.
final class WorkQueue: Sendable {
    private struct State {
        var line: WorkLine<StoreJob>
        var alarmIsSet = false
    }

    private static let alarms = DispatchQueue(label: "storage-deadlines")

    private let state: Mutex<State>
    private let waitTimeout: Duration
    private let startServer: @Sendable (WorkQueue) -> Void
    /// Opens when the queue is closed and its work done.
    let finished = Latch()

    /// - Parameter startServer: starts a server, which calls ``step()`` and ``take(upTo:)`` in turn until it rests.
    init(capacity: Int, servers: Int, waitTimeout: Duration, startServer: @escaping @Sendable (WorkQueue) -> Void) {
        state = Mutex(State(line: WorkLine(capacity: capacity, maximumServers: servers)))
        self.waitTimeout = waitTimeout
        self.startServer = startServer
    }

    /// Runs `body` on a server. A caller cancelled before its body starts leaves; later the body completes.
    func submit<Value: Sendable>(
        isRead: Bool = false, _ body: @escaping @Sendable (any SQLConnection) throws -> Value
    ) async throws -> Value {
        let ticket = Mutex<UInt64?>(nil)
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Value, any Error>) in
                let job = StoreJob(
                    isRead: isRead,
                    run: { connection in
                        let value = try body(connection)
                        return { continuation.resume(returning: value) }
                    },
                    fail: { continuation.resume(throwing: $0) })
                guard let admitted = join(job) else { return }
                ticket.withLock { $0 = admitted }
                // A cancellation that came before the ticket was written found nothing to take back.
                if Task.isCancelled { cancel(admitted) }
            }
        } onCancel: {
            if let ticket = ticket.withLock({ $0 }) { cancel(ticket) }
        }
    }

    /// Jobs that wait.
    var count: Int { state.withLock { $0.line.count } }

    /// What the asking server does next.
    func step() -> WorkLine<StoreJob>.Step { state.withLock { $0.line.step() } }

    /// The jobs that have waited longest.
    func take(upTo count: Int) -> [StoreJob] { state.withLock { $0.line.take(upTo: count) } }

    /// Admits no more work; ``finished`` opens when what waits is done.
    func close() {
        if state.withLock({ $0.line.close() }) { startServer(self) }
    }

    /// Returns when ``finished`` opens, or after `timeout`: a store that is closed waits for it in a cancelled task too.
    func wait(atMost timeout: Duration) async {
        await uncancelled { [finished] in _ = await finished.wait(until: .now + timeout) }
    }

    private func join(_ job: StoreJob) -> UInt64? {
        let (admission, deadline, setsAlarm) = state.withLock { state in
            let deadline = ContinuousClock.now + waitTimeout
            let admission = state.line.join(job, until: deadline)
            let setsAlarm = !state.alarmIsSet && state.line.nextDeadline != nil
            if setsAlarm { state.alarmIsSet = true }
            return (admission, deadline, setsAlarm)
        }
        if setsAlarm { setAlarm(at: deadline) }
        switch admission {
        case .closed: job.fail(StoreError.closed)
        case .full: job.fail(StoreError.busy)
        case .admitted(let ticket, let needsServer):
            if needsServer { startServer(self) }
            return ticket
        }
        return nil
    }

    private func cancel(_ ticket: UInt64) {
        state.withLock { $0.line.leave(ticket) }?.fail(CancellationError())
    }

    private func setAlarm(at deadline: ContinuousClock.Instant) {
        let milliseconds = Int((deadline - ContinuousClock.now) / .milliseconds(1)) + 1
        Self.alarms.asyncAfter(deadline: .now() + .milliseconds(max(milliseconds, 1))) { [weak self] in self?.alarm() }
    }

    private func alarm() {
        let (late, next) = state.withLock { state in
            let late = state.line.expire(at: .now)
            state.alarmIsSet = state.line.nextDeadline != nil
            return (late, state.line.nextDeadline)
        }
        for job in late { job.fail(StoreError.busy) }
        if let next { setAlarm(at: next) }
    }
}
