/// How fast data may flow, in the units of tc: `1mbit` is a million bits a second, `1mbps` a million *bytes*.
public struct DataRate: Sendable, Equatable, CustomStringConvertible {
    /// As the manifest has it.
    public let number: UInt64
    /// Lower case: `bit`, `kbit`, ... `tbit`, `bps`, `kbps`, ... `tbps`; the prefixes are powers of 1000.
    public let unit: String
    public let bitsPerSecond: UInt64

    /// - Throws: ``QuantityError`` for anything but a whole number with a unit, such as `1mbit` or `100 kbps`; upper and
    ///   lower case are alike, as for Chaos Mesh (`isValidRateUnit`).
    public static func parse(_ text: String) throws(QuantityError) -> DataRate {
        let number = text.drop { $0 == " " }.prefix { $0.isASCII && $0.isNumber }
        let rest = text.drop { $0 == " " }.dropFirst(number.count).lowercased().split(separator: " ")
        guard let value = UInt64(number), rest.count == 1, let bits = bits(of: rest[0]) else {
            throw QuantityError("is not a rate: write a number with bit, kbit, mbit, gbit, bps, kbps, mbps or gbps")
        }
        let (product, overflow) = value.multipliedReportingOverflow(by: bits)
        guard !overflow else { throw QuantityError("is too fast") }
        guard product > 0 else { throw QuantityError("lets nothing through: use the action partition") }
        return DataRate(number: value, unit: String(rest[0]), bitsPerSecond: product)
    }

    /// What one of `unit` counts in bits a second; nil when there is no such unit.
    private static func bits(of unit: Substring) -> UInt64? {
        guard unit.hasSuffix("bit") || unit.hasSuffix("bps"), unit.count <= 4 else { return nil }
        let power: Int
        switch unit.dropLast(3) {
        case "": power = 0
        case "k": power = 1
        case "m": power = 2
        case "g": power = 3
        case "t": power = 4
        default: return nil
        }
        return (0..<power).reduce(unit.hasSuffix("bps") ? 8 : 1) { bits, _ in bits * 1000 }
    }

    /// `1mbit`, as tc takes it.
    public var description: String { "\(number)\(unit)" }
}
