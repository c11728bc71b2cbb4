import Shared

/// An entry in the gateway's own books: what came of one payment.
public struct GatewayCharge: Sendable, Equatable {
    public enum State: Sendable, Equatable {
        case approved
        case declined(DeclineCode)
    }

    /// `CHG-...`.
    public let id: String
    public let paymentID: String
    public let idempotencyKey: String?
    public let amount: Money
    public let state: State
    /// The failure mode that had a part in it, if one did.
    public let scenario: FailureScenario?
    /// What went back of it, in minor units of its currency.
    public let refundedMinorUnits: Int64

    public init(
        id: String, paymentID: String, idempotencyKey: String? = nil, amount: Money, state: State,
        scenario: FailureScenario? = nil, refundedMinorUnits: Int64 = 0
    ) {
        self.id = id
        self.paymentID = paymentID
        self.idempotencyKey = idempotencyKey
        self.amount = amount
        self.state = state
        self.scenario = scenario
        self.refundedMinorUnits = refundedMinorUnits
    }
}
