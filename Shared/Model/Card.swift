/// A payment card's number. It lives only as long as the request that brought it: the type is neither Codable nor
/// printable, so that it cannot be stored, logged or answered by accident.
public struct Card: Sendable, CustomStringConvertible, CustomReflectable {
    let digits: [UInt8]

    /// Who issued a card, by the first digits of its number.
    public enum Brand: String, Sendable, Codable {
        case visa, mastercard, amex, discover, diners, jcb, unionpay, maestro, unknown
    }

    /// - Parameter number: digits, with spaces or hyphens between groups. Nil for other characters, and for fewer
    ///   than 12 or more than 19 digits (ISO/IEC 7812-1).
    public init?(number: String) {
        var digits: [UInt8] = []
        for byte in number.utf8 {
            switch byte {
            case 48...57: digits.append(byte - 48)
            case UInt8(ascii: " "), UInt8(ascii: "-"): continue
            default: return nil
            }
        }
        guard (12...19).contains(digits.count) else { return nil }
        self.digits = digits
    }

    /// Whether the number could be a real one: its check digit (Luhn, ISO/IEC 7812-1 annex B) and its length for
    /// its brand.
    public var isValid: Bool { hasValidCheckDigit && Self.lengths(of: brand).contains(digits.count) }

    /// The only digits that may be shown or kept.
    public var lastFour: String { digits.suffix(4).map(String.init).joined() }

    /// `****-****-****-4242`.
    public var masked: String { "****-****-****-\(lastFour)" }

    public var description: String { masked }
    public var customMirror: Mirror { Mirror(self, children: ["masked": masked]) }

    /// The issuer by the published ranges of issuer identification numbers.
    public var brand: Brand {
        let two = prefix(2)
        let three = prefix(3)
        let four = prefix(4)
        switch true {
        case digits[0] == 4: return .visa
        case (51...55).contains(two), (2221...2720).contains(four): return .mastercard
        case two == 34, two == 37: return .amex
        case four == 6011, (644...649).contains(three), two == 65: return .discover
        case (300...305).contains(three), three == 309, two == 36, two == 38, two == 39: return .diners
        case (3528...3589).contains(four): return .jcb
        case two == 62: return .unionpay
        case two == 50, (56...58).contains(two), two == 67: return .maestro
        default: return .unknown
        }
    }

    /// Whether this is exactly the given test card.
    func matches(_ number: String) -> Bool { digits.elementsEqual(number.utf8.lazy.map { $0 - 48 }) }

    private func prefix(_ count: Int) -> Int { digits.prefix(count).reduce(0) { $0 * 10 + Int($1) } }

    private var hasValidCheckDigit: Bool {
        let sum = digits.reversed().enumerated().reduce(0) { sum, item in
            let (position, digit) = (item.offset, Int(item.element))
            guard position % 2 == 1 else { return sum + digit }
            return sum + (digit > 4 ? digit * 2 - 9 : digit * 2)
        }
        return sum % 10 == 0
    }

    private static func lengths(of brand: Brand) -> Set<Int> {
        switch brand {
        case .visa: [13, 16, 19]
        case .mastercard: [16]
        case .amex: [15]
        case .discover, .jcb, .unionpay: Set(16...19)
        case .diners: Set(14...19)
        case .maestro: Set(12...19)
        case .unknown: Set(12...19)
        }
    }
}

/// The cards whose answer never depends on chance, and the tokens that stand for them.
public enum TestCard: String, Sendable, CaseIterable {
    case approved = "4242424242424242"
    case genericDecline = "4000000000000002"
    case insufficientFunds = "4000000000009995"
    case stolen = "4000000000009979"
    case expired = "4000000000000069"

    /// The test card that `card` is, or nil for any other card.
    public init?(_ card: Card) {
        guard let match = Self.allCases.first(where: { card.matches($0.rawValue) }) else { return nil }
        self = match
    }

    /// The test card that a payment method token stands for, or nil for an unknown token.
    public init?(paymentMethod token: String) {
        switch token {
        case "pm_card_visa": self = .approved
        case "pm_card_visa_chargeDeclined": self = .genericDecline
        case "pm_card_visa_chargeDeclinedInsufficientFunds": self = .insufficientFunds
        case "pm_card_visa_chargeDeclinedStolenCard": self = .stolen
        default: return nil
        }
    }

    /// Why the issuer declines this card, or nil for the one that it approves.
    public var declineCode: DeclineCode? {
        switch self {
        case .approved: nil
        case .genericDecline: .genericDecline
        case .insufficientFunds: .insufficientFunds
        case .stolen: .stolenCard
        case .expired: .expiredCard
        }
    }

    /// The last four digits, which may be kept.
    public var lastFour: String { String(rawValue.suffix(4)) }
}

/// Why an issuer said no.
public enum DeclineCode: String, Sendable, Codable, CaseIterable {
    case genericDecline = "generic_decline"
    case insufficientFunds = "insufficient_funds"
    case expiredCard = "expired_card"
    case stolenCard = "stolen_card"
    case lostCard = "lost_card"
    case fraudulent

    /// What the customer may read. A thief must not learn that the card is known to be stolen, so stolen, lost and
    /// fraudulent cards read like a generic decline.
    public var customerMessage: String {
        switch self {
        case .genericDecline, .stolenCard, .lostCard, .fraudulent: "The card was declined."
        case .insufficientFunds: "The card was declined: insufficient funds."
        case .expiredCard: "The card was declined: it has expired."
        }
    }
}
