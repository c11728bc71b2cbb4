import Experiments
import Shared

/// One payment as its client saw it: what was asked, and what came back.
public struct PaymentOperation: Sendable, Equatable {
    public enum Outcome: String, Sendable {
        /// Acknowledged as paid.
        case ok
        /// The bank said no.
        case declined
        /// Refused; nothing may have been charged.
        case failed
        /// No answer, or one that leaves it open: the payment may have happened or not.
        case unknown
    }

    public let idempotencyKey: String?
    /// As the answer or the problem names it; nil where none came.
    public let paymentID: String?
    public let outcome: Outcome
    /// What the client wanted to pay; nil where nobody noted it.
    public let amount: Money?

    public init(idempotencyKey: String?, paymentID: String?, outcome: Outcome, amount: Money? = nil) {
        self.idempotencyKey = idempotencyKey
        self.paymentID = paymentID
        self.outcome = outcome
        self.amount = amount
    }

    /// Nil for requests that pay nothing, and for those that were never sent.
    public init?(_ sample: RequestSample) {
        guard let payment = sample.payment, let outcome = Outcome(sample.outcome) else { return nil }
        self.init(
            idempotencyKey: payment.idempotencyKey, paymentID: payment.paymentID, outcome: outcome,
            amount: payment.amount)
    }
}

extension PaymentOperation.Outcome {
    /// What an answer promises to the client. 202 (accepted, not done) and 409 (a request with this key is running, or
    /// there is no stock) promise nothing yet; neither does any 5xx, for behind it the charge may stand.
    init?(_ outcome: RequestSample.Outcome) {
        switch outcome {
        case .dropped: return nil
        case .timedOut, .connectionFailed, .status(202), .status(409): self = .unknown
        case .status(402): self = .declined
        case .status(200..<300): self = .ok
        case .status(400..<500): self = .failed
        case .status: self = .unknown
        }
    }
}
