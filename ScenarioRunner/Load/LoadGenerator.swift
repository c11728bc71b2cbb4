import Experiments
import Synchronization

/// Sends one request and says what became of it.
public protocol RequestSender: Sendable {
    /// Returns within ``PreparedRequest/timeout``, and soon after the task is cancelled. What it returns then is not
    /// looked at.
    func send(_ request: PreparedRequest) async -> RequestResult
}

/// What became of a request.
public struct RequestResult: Sendable, Equatable {
    public let outcome: RequestSample.Outcome
    /// As the answer names it; only looked for where the request is a payment.
    public let paymentID: String?
    /// As `X-Served-By` names it.
    public let replica: String?

    public init(_ outcome: RequestSample.Outcome, paymentID: String? = nil, replica: String? = nil) {
        self.outcome = outcome
        self.paymentID = paymentID
        self.replica = replica
    }
}

/// Puts a ``LoadPlan`` on a system and measures what its users would feel.
///
/// ```
///   due:   |0     |1     |2     |3          request k is due at k / rate, answers or no answers
///   sent:  '-x    '------'------'--x        each in a task of its own; late when the machine is slow
///   latency: from *due* to the last byte, so that a stall counts for all who met it (G. Tene: "coordinated omission")
/// ```
public struct LoadGenerator: Sendable {
    /// How long after the last deadline a sender that forgot its own is cut off.
    static let grace: Duration = .milliseconds(500)

    private let plan: LoadPlan
    private let sender: any RequestSender
    private let clock: any LoadClock
    private let onSample: @Sendable (RequestSample) -> Void

    /// - Parameter onSample: called once for every request of the plan, from many tasks and in the order of their ends;
    ///   it must be quick.
    public init(
        plan: LoadPlan, sender: any RequestSender, clock: any LoadClock = MonotonicLoadClock(),
        onSample: @escaping @Sendable (RequestSample) -> Void
    ) {
        self.plan = plan
        self.sender = sender
        self.clock = clock
        self.onSample = onSample
    }

    /// Returns when every request has ended, at the latest its timeout after the last was due. Cancelling the task
    /// stops the load at once; what is under way then gives no sample, for it says nothing about the system.
    ///
    /// - Parameters:
    ///   - startNs: when request 0 is due, on the clock; now when nil.
    ///   - stopSending: asked before each request; true ends the plan early, and only what is under way is awaited.
    public func run(startNs: UInt64? = nil, stopSending: @escaping @Sendable () -> Bool = { false }) async {
        let start = startNs ?? clock.nowNs()
        let end = start + plan.offsetNs(of: plan.total) + (plan.timeout + Self.grace).nanoseconds
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await sendAll(from: start, stopSending) }
            group.addTask { try? await clock.sleep(untilNs: end) }
            await group.next()
            group.cancelAll()
        }
    }

    private func sendAll(from start: UInt64, _ stopSending: @Sendable () -> Bool) async {
        let inFlight = InFlight(limit: plan.maximumInFlight)
        await withDiscardingTaskGroup { group in
            for index in 0..<plan.total {
                let request = plan.request(at: index)
                let due = start + plan.offsetNs(of: index)
                guard (try? await clock.sleep(untilNs: due)) != nil, !stopSending() else { return }
                if inFlight.enter() {
                    group.addTask {
                        await send(request, due: due)
                        inFlight.leave()
                    }
                } else {
                    onSample(dropped(request, due: due))
                }
            }
        }
    }

    private func send(_ request: PreparedRequest, due: UInt64) async {
        let sent = max(due, clock.nowNs())
        let result = await sender.send(request)
        let ended = max(sent, clock.nowNs())
        let cutOff = Task.isCancelled
        if cutOff, ended - sent < plan.timeout.nanoseconds { return }
        onSample(
            RequestSample(
                endpoint: request.endpoint, intendedNs: due, sendDelayNs: sent - due, latencyNs: ended - due,
                outcome: cutOff ? .timedOut : result.outcome, payment: request.payment(id: result.paymentID),
                replica: result.replica))
    }

    /// Counted as one who waited in vain until the end: that it was not sent must not make the load look quick.
    private func dropped(_ request: PreparedRequest, due: UInt64) -> RequestSample {
        RequestSample(
            endpoint: request.endpoint, intendedNs: due, sendDelayNs: 0, latencyNs: plan.timeout.nanoseconds,
            outcome: .dropped)
    }
}

/// How many requests are under way.
private final class InFlight: Sendable {
    private let limit: Int
    private let count = Atomic<Int>(0)

    init(limit: Int) {
        self.limit = limit
    }

    /// False when there is no place. Only one task enters, so looking and taking need not be one step.
    func enter() -> Bool {
        guard count.load(ordering: .relaxed) < limit else { return false }
        count.add(1, ordering: .relaxed)
        return true
    }

    func leave() {
        count.subtract(1, ordering: .relaxed)
    }
}
