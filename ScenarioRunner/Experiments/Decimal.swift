/// Why a text is not the quantity that it should be. The text itself is not repeated: whoever reports it has it.
public struct QuantityError: Error, Sendable, Equatable, CustomStringConvertible {
    public let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// An unsigned decimal number as written, without rounding: `80.5` is 805 / 10^1.
struct DecimalText {
    let digits: Int64
    let fractionDigits: Int

    /// - Parameter text: digits with at most one point between or beside them; no sign, no exponent.
    init?(_ text: Substring) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        let all = parts.joined()
        guard (1...2).contains(parts.count), !all.isEmpty, all.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let value = Int64(all)
        else { return nil }
        digits = value
        fractionDigits = parts.count == 2 ? parts[1].count : 0
    }

    /// The number times `unit`, rounded towards zero; nil when it does not fit.
    func scaled(by unit: Int64) -> Int64? {
        var (value, remaining) = (digits, fractionDigits)
        // Shortens `1.500000000` first, so that only numbers overflow that are too large themselves.
        while remaining > 0, value % 10 == 0 {
            value /= 10
            remaining -= 1
        }
        let (product, overflow) = value.multipliedReportingOverflow(by: unit)
        guard !overflow else { return nil }
        return (0..<remaining).reduce(product) { partial, _ in partial / 10 }
    }
}
