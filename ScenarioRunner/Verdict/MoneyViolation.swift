/// One rule that the books break.
public struct MoneyViolation: Codable, Sendable, Equatable {
    /// What must be true of the books after every run.
    public enum Rule: String, Codable, Sendable, CaseIterable {
        case ledgerBalances = "a"
        case oneCharge = "b"
        case successIsComplete = "c"
        case failureLeavesNothing = "d"
        case unknownIsSettled = "e"
        case refundsWithinCaptures = "f"
        case stockIsConserved = "g"

        /// For people.
        public var name: String {
            switch self {
            case .ledgerBalances: "each ledger transaction balances"
            case .oneCharge: "at most one charge"
            case .successIsComplete: "a success is complete"
            case .failureLeavesNothing: "a failure leaves nothing behind"
            case .unknownIsSettled: "an unknown outcome is settled"
            case .refundsWithinCaptures: "refunds never exceed captures"
            case .stockIsConserved: "stock is conserved"
            }
        }
    }

    public let rule: Rule
    /// Nil where it is about no payment, as with stock.
    public let paymentID: String?
    /// What is wrong, in one sentence.
    public let text: String
    /// What the client saw and what each of the books says; at most ``maximumHistory`` lines.
    public let history: [String]

    static let maximumHistory = 30

    public init(rule: Rule, paymentID: String? = nil, text: String, history: [String] = []) {
        self.rule = rule
        self.paymentID = paymentID
        self.text = text
        self.history = Array(history.prefix(Self.maximumHistory))
    }

    /// `(c) a success is complete: PAY-1: it has no charge`.
    public var line: String {
        "(\(rule.rawValue)) \(rule.name): \(paymentID.map { "\($0): " } ?? "")\(text)"
    }
}

extension MoneyViolation {
    private enum CodingKeys: String, CodingKey {
        case rule, name, text, history
        case paymentID = "payment_id"
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            rule: try container.decode(Rule.self, forKey: .rule),
            paymentID: try container.decodeIfPresent(String.self, forKey: .paymentID),
            text: try container.decode(String.self, forKey: .text),
            history: try container.decode([String].self, forKey: .history))
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(rule, forKey: .rule)
        try container.encode(rule.name, forKey: .name)
        try container.encodeIfPresent(paymentID, forKey: .paymentID)
        try container.encode(text, forKey: .text)
        try container.encode(history, forKey: .history)
    }
}
