import Shared

/// Who asks the card's issuer for the money. The payment service knows no more of its gateway than this.
///
/// ```
///   payment service --authorise--> Acquirer --> approved | declined | closed | no answer
///                   --charge(of:)->         --> what became of it, asked later
///                   --refund------->        --> refunded | refused
/// ```
///
/// A gateway keeps books of its own. Each call may be repeated: a payment is charged at most once, and a refund
/// given at most once, however often they are asked for.
public protocol Acquirer: Sendable {
    /// Asks for the money. A payment that was charged or declined before gets the same answer again.
    ///
    /// - Throws: `CancellationError` when the task is cancelled, and whatever keeps the gateway from answering; the
    ///   charge may be made all the same. Silence is no error but ``ChargeResult/Outcome/noAnswer``.
    func authorise(_ charge: ChargeRequest) async throws -> ChargeResult

    /// What became of a payment's charge, for those who did not hear the answer. Nil means that there is none and
    /// never will be: the question closes the payment, so a wish that is still on its way charges nothing.
    func charge(of paymentID: String) async throws -> GatewayCharge?

    /// Gives money back. The same refund id again is the same refund.
    ///
    /// - Returns: false when the charge does not have that much left.
    func refund(_ refundID: String, of paymentID: String, amount: Money) async throws -> Bool

    /// The charges of these payments, for the audit.
    func charges(ofPayments paymentIDs: [String]) async throws -> [GatewayCharge]

    /// Up to `limit` charges in the order of their payments' ids, from the first id after `paymentID`.
    func charges(afterPayment paymentID: String, limit: Int) async throws -> [GatewayCharge]
}

/// One wish for money.
public struct ChargeRequest: Sendable {
    /// `PAY-...`, the payment's own id: at most one charge has it.
    public let paymentID: String
    /// What the caller named the payment; it decides the draws before the id does, so that a run that is repeated
    /// with the same keys fails the same payments.
    public let idempotencyKey: String?
    public let amount: Money
    public let instrument: PaymentInstrument

    public init(paymentID: String, idempotencyKey: String? = nil, amount: Money, instrument: PaymentInstrument) {
        self.paymentID = paymentID
        self.idempotencyKey = idempotencyKey
        self.amount = amount
        self.instrument = instrument
    }
}

/// With what a customer pays.
public enum PaymentInstrument: Sendable {
    /// A card whose answer never depends on chance, named by its number or by a token.
    case test(TestCard)
    /// Any other card.
    case card(Card)
    /// The caller named none: a card that is approved unless a failure mode hits it.
    case unnamed

    public init(_ card: Card) { self = TestCard(card).map(Self.test) ?? .card(card) }

    /// The only digits that may be kept.
    public var lastFour: String {
        switch self {
        case .test(let card): card.lastFour
        case .card(let card): card.lastFour
        case .unnamed: TestCard.approved.lastFour
        }
    }

    public var brand: Card.Brand {
        switch self {
        case .test, .unnamed: .visa
        case .card(let card): card.brand
        }
    }
}

/// What came of a charge, and the failure mode that made it so.
public struct ChargeResult: Sendable, Equatable {
    public enum Outcome: Sendable, Equatable {
        case approved
        case declined(DeclineCode)
        /// Somebody asked for this payment's charge before there was one: see ``Acquirer/charge(of:)``.
        case closed
        /// The gateway was silent until the wait was over. The charge may be made or not.
        case noAnswer
    }

    public let outcome: Outcome
    /// Nil when no failure mode had a part in it.
    public let scenario: FailureScenario?
    /// Not nil when the payment goes its way and the answer to its caller is lost: so long the caller hears nothing.
    public let lostAnswerDelay: Duration?

    public init(_ outcome: Outcome, scenario: FailureScenario? = nil, lostAnswerDelay: Duration? = nil) {
        self.outcome = outcome
        self.scenario = scenario
        self.lostAnswerDelay = lostAnswerDelay
    }
}

/// The failure modes by the names that they have in the runner's API. A name is part of every draw, which makes the
/// draws independent of each other: see ``Draw``.
public enum FailureScenario: String, Sendable, CaseIterable {
    case stolenCard = "stolen-card"
    case cardDecline = "card-decline"
    case gatewayTimeout = "gateway-timeout"
}
