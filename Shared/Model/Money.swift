import Foundation

/// An amount of money: an integer number of minor units and its currency. It never passes through a binary
/// fraction, in which 19.99 does not exist.
///
/// ```
///   "19.99" + USD --(parse)--> 1999 minor units --(decimal)--> 19.99
/// ```
public struct Money: Sendable, Hashable {
    /// Cents for USD, whole yen for JPY.
    public let minorUnits: Int64
    public let currency: Currency

    public init(minorUnits: Int64, currency: Currency) {
        self.minorUnits = minorUnits
        self.currency = currency
    }

    /// The largest amount of one payment, in minor units: field 4 of a card message (ISO 8583) has 12 digits.
    public static let maximumMinorUnits: Int64 = 999_999_999_999

    /// The longest text that is read as an amount: room for every `Decimal` written out (a significand of 39 digits,
    /// moved by at most 128 places), and no more.
    static let maximumTextBytes = 200

    /// Why a text is not an amount that can be paid.
    public enum ParseError: Error, Equatable {
        case notANumber
        case tooManyDecimals(allowed: Int)
        case notPositive
        case tooLarge
    }

    /// Parses plain decimal text, `19.99`: digits, at most one point, an optional sign, no exponent, no spaces.
    ///
    /// Trailing zeros beyond the currency's decimals are no rounding and are accepted: `5.00` is 5 JPY.
    /// - Throws: ``ParseError``; the amount must be more than 0 and at most ``maximumMinorUnits``.
    public init(positive text: String, currency: Currency) throws(ParseError) {
        guard text.utf8.count <= Self.maximumTextBytes else { throw .notANumber }
        // Bytes, not characters: every digit is one, and nothing that only looks like one is.
        var digits = Array(text.utf8)[...]
        let negative = digits.first == UInt8(ascii: "-")
        if negative || digits.first == UInt8(ascii: "+") { digits = digits.dropFirst() }
        let parts = digits.split(separator: UInt8(ascii: "."), maxSplits: 1, omittingEmptySubsequences: false)
        let whole = parts[0]
        var fraction = parts.count == 2 ? parts[1] : []
        let isNumber =
            !whole.isEmpty && (parts.count == 1 || !fraction.isEmpty)
            && (whole + fraction).allSatisfy { (48...57).contains($0) }
        guard isNumber else { throw .notANumber }
        while fraction.count > currency.exponent, fraction.last == UInt8(ascii: "0") { fraction = fraction.dropLast() }
        guard fraction.count <= currency.exponent else { throw .tooManyDecimals(allowed: currency.exponent) }

        var minor: Int64 = 0
        let padding = Array(repeating: UInt8(ascii: "0"), count: currency.exponent - fraction.count)
        for digit in whole + fraction + padding {
            minor = minor * 10 + Int64(digit - 48)
            guard minor <= Self.maximumMinorUnits else { throw negative ? .notPositive : .tooLarge }
        }
        guard minor > 0, !negative else { throw .notPositive }
        self.init(minorUnits: minor, currency: currency)
    }

    /// The amount in major units, exact. JSON numbers are made from it: 1999 cents become `19.99`.
    public var decimal: Decimal {
        Decimal(
            sign: minorUnits < 0 ? .minus : .plus, exponent: -currency.exponent,
            significand: Decimal(minorUnits.magnitude))
    }

    /// The amount with all its decimals: `19.90`.
    public var text: String {
        let digits = String(minorUnits.magnitude)
        let padded = String(repeating: "0", count: max(0, currency.exponent + 1 - digits.count)) + digits
        let sign = minorUnits < 0 ? "-" : ""
        guard currency.exponent > 0 else { return sign + padded }
        return "\(sign)\(padded.dropLast(currency.exponent)).\(padded.suffix(currency.exponent))"
    }
}
