import Shared

/// Who asks the card's issuer for the money. The payment service knows no more of its gateway than this.
///
/// ```
///   payment service --ChargeRequest--> Acquirer --ChargeResult--> approved | declined | no answer
/// ```
///
/// The acquirer here is simulated and keeps no books: each charge is decided by the request alone. One with a store
/// of its own, which can be asked later what became of a charge, is another conformance.
public protocol Acquirer: Sendable {
    /// Asks for the money, once a payment.
    ///
    /// - Throws: `CancellationError` when the task is cancelled. A gateway that does not answer is no error but
    ///   ``ChargeResult/Outcome/noAnswer``.
    func authorise(_ charge: ChargeRequest) async throws -> ChargeResult
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
        /// The gateway was silent until the wait was over.
        case noAnswer
    }

    public let outcome: Outcome
    /// Nil when no failure mode had a part in it.
    public let scenario: FailureScenario?

    public init(_ outcome: Outcome, scenario: FailureScenario? = nil) {
        self.outcome = outcome
        self.scenario = scenario
    }
}

/// The failure modes by the names that they have in the runner's API. A name is part of every draw, which makes the
/// draws independent of each other: see ``Draw``.
public enum FailureScenario: String, Sendable, CaseIterable {
    case stolenCard = "stolen-card"
    case cardDecline = "card-decline"
    case gatewayTimeout = "gateway-timeout"
}
