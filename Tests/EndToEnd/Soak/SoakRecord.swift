import Experiments
import Shared
import Synchronization

@testable import Verdict

/// What the clients were told and what was done to the system, from many tasks.
final class SoakRecord: Sendable {
    /// Money that a client asked back.
    struct Refund: Sendable {
        let paymentID: String
        let amount: Money
        /// False when its client never learnt what became of it.
        let isAcknowledged: Bool
    }

    /// One path that lost packets for a while.
    struct LossTurn: Sendable {
        let path: String
        /// Of the packets on the path, in percent.
        let delivered: Double
    }

    struct State: Sendable {
        var operations: [PaymentOperation] = []
        var refunds: [Refund] = []
        /// By service.
        var kills: [String: Int] = [:]
        var lossTurns: [LossTurn] = []
        var modeTurns = 0
        /// When the last client had gone; nil while there is one.
        var clientsEnded: ContinuousClock.Instant?
        /// Tries of payments and of refunds, answered or not.
        var requests = 0
        /// Promises broken before the books were opened, one line each.
        var brokenPromises: [String] = []
    }

    private let state = Mutex(State())
    private let orders: Atomic<Int> = Atomic(0)

    var now: State { state.withLock { $0 } }

    /// Whether each path has lost packets for a whole turn.
    var hasHadEveryLoss: Bool { Set(now.lossTurns.map(\.path)).count == SoakLoss.pathNames.count }

    /// The index of the next payment, from 0; each is given once.
    func nextIndex() -> Int { orders.wrappingAdd(1, ordering: .relaxed).oldValue }

    func change(_ change: (inout State) -> Void) { state.withLock { change(&$0) } }
}

/// What one try of a request came to.
struct SoakAnswer: Sendable {
    let outcome: RequestSample.Outcome
    /// As the answer names it.
    var paymentID: String?
    /// A stored answer: the first request with the key has its end.
    var isReplay = false

    /// What it promises to whoever asked for a payment. A stored 5xx is the end of its payment: one whose outcome is
    /// not known yet answers 409.
    var promise: PaymentOperation.Outcome {
        if isReplay, case .status(500...) = outcome { return .failed }
        return PaymentOperation.Outcome(outcome) ?? .unknown
    }
}

extension PaymentOperation {
    /// A payment as its client finally saw it.
    init(_ order: SoakOrder, paymentID: String?, _ outcome: Outcome) {
        self.init(idempotencyKey: order.key, paymentID: paymentID, outcome: outcome)
    }
}
