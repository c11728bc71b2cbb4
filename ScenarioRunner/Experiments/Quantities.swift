/// A share of a hundred, exact to a hundredth of a percent.
///
/// Chaos Mesh writes percentages as strings ("80", "80.5") because its schema has no decimals.
public struct Percentage: Sendable, Equatable, Comparable, CustomStringConvertible {
    /// Hundredths of a percent, 0 to 10 000.
    public let basisPoints: Int

    /// - Parameter basisPoints: clamped to 0...10 000.
    public init(basisPoints: Int) {
        self.basisPoints = min(max(basisPoints, 0), 10_000)
    }

    /// - Throws: ``QuantityError`` for anything but a number from 0 to 100 with at most two decimals. Chaos Mesh takes
    ///   more decimals; here they are refused, because they would be lost.
    public static func parse(_ text: String) throws(QuantityError) -> Percentage {
        guard let decimal = DecimalText(Substring(text)) else {
            throw QuantityError("is not a percentage: write a number from 0 to 100 in quotes, such as \"80\"")
        }
        guard let hundredths = decimal.scaled(by: 100), hundredths <= 10_000 else {
            throw QuantityError("is more than 100 %")
        }
        guard decimal.fractionDigits <= 2 else { throw QuantityError("has more than two decimals") }
        return Percentage(basisPoints: Int(hundredths))
    }

    /// 0 to 1.
    public var fraction: Double { Double(basisPoints) / 10_000 }

    /// `80`, `80.5`, without the sign.
    public var description: String {
        let (whole, rest) = basisPoints.quotientAndRemainder(dividingBy: 100)
        if rest == 0 { return "\(whole)" }
        return rest % 10 == 0 ? "\(whole).\(rest / 10)" : "\(whole).\(rest < 10 ? "0" : "")\(rest)"
    }

    public static func < (left: Percentage, right: Percentage) -> Bool { left.basisPoints < right.basisPoints }
}

/// How much memory a stressor holds: all its workers together.
///
/// Chaos Mesh 2 runs memStress 0.3, which reads sizes with go-humanize: `KB`, `MB`, `GB`, `TB` are powers of 1000 and
/// `KiB`, `MiB`, `GiB`, `TiB` powers of 1024, upper and lower case alike, and divides the size by the workers. (The
/// reference of the field says "per worker", and stress-ng itself reads `M` as 1024 x 1024: neither is what happens.)
public enum MemorySize: Sendable, Equatable, CustomStringConvertible {
    case bytes(UInt64)
    /// 0 to 100 percent of the replica's memory limit, or of the machine's memory where there is no limit.
    case percent(Int)

    /// - Throws: ``QuantityError`` for an unknown unit, a percentage above 100, or more than 2^63 bytes.
    public static func parse(_ text: String) throws(QuantityError) -> MemorySize {
        if text.hasSuffix("%") {
            guard let percent = Int(text.dropLast()), (0...100).contains(percent) else {
                throw QuantityError("is not a whole percentage from 0% to 100%")
            }
            return .percent(percent)
        }
        let number = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        let unit = text.dropFirst(number.count).drop { $0 == " " }.lowercased()
        guard let decimal = DecimalText(number), let scale = scale(of: unit) else {
            throw QuantityError("is not a size: write a number with B, KB, MB, GB, KiB, MiB, GiB or %, such as 100MB")
        }
        guard let bytes = decimal.scaled(by: scale) else { throw QuantityError("is too large") }
        return .bytes(UInt64(bytes))
    }

    private static func scale(of unit: String) -> Int64? {
        if unit.isEmpty || unit == "b" { return 1 }
        guard let power = ["k", "m", "g", "t", "p"].firstIndex(of: String(unit.prefix(1))) else { return nil }
        let base: Int64
        switch unit.dropFirst() {
        case "", "b": base = 1000
        case "i", "ib": base = 1024
        default: return nil
        }
        return (0..<power).reduce(base) { scale, _ in scale * base }
    }

    /// `100 MB`, `256 MiB`, `50 %`: in the largest unit that leaves a whole number.
    public var description: String {
        switch self {
        case .percent(let percent):
            return "\(percent) %"
        case .bytes(let bytes):
            let units: [(String, UInt64)] = [
                ("GiB", 1 << 30), ("GB", 1_000_000_000), ("MiB", 1 << 20), ("MB", 1_000_000), ("KiB", 1 << 10),
                ("KB", 1000),
            ]
            for (name, size) in units where bytes >= size && bytes % size == 0 { return "\(bytes / size) \(name)" }
            return "\(bytes) B"
        }
    }
}
