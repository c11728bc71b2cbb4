/// Durations as Go's `time.ParseDuration` reads them, which is what Chaos Mesh does: `5m`, `1m30s`, `1.5h`, `500ms`.
public enum GoDuration {
    private static let unitsInNanoseconds: [(name: String, nanoseconds: Int64)] = [
        ("ns", 1), ("us", 1000), ("µs", 1000), ("μs", 1000), ("ms", 1_000_000),
        ("s", 1_000_000_000), ("m", 60_000_000_000), ("h", 3_600_000_000_000),
    ]

    /// Reads numbers with units, added up. Unlike Go, a sign is refused: no time in a manifest is negative.
    ///
    /// - Throws: ``QuantityError`` when it is not a duration or longer than 292 years (Go's own limit).
    public static func parse(_ text: String) throws(QuantityError) -> Duration {
        if text == "0" { return .zero }
        guard !text.isEmpty else { throw QuantityError("is empty: write a duration such as 90s, 5m or 1m30s") }
        var rest = Substring(text)
        var total: Int64 = 0
        while !rest.isEmpty {
            let number = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
            rest = rest.dropFirst(number.count)
            let unit = rest.prefix { $0 != "." && !($0.isASCII && $0.isNumber) }
            rest = rest.dropFirst(unit.count)
            guard let decimal = DecimalText(number), let scale = unitsInNanoseconds.first(where: { $0.name == unit })
            else { throw QuantityError("is not a duration: write numbers with units, such as 90s, 5m or 1m30s") }
            guard let part = decimal.scaled(by: scale.nanoseconds), !total.addingReportingOverflow(part).overflow
            else { throw QuantityError("is too long") }
            total += part
        }
        return .nanoseconds(total)
    }

    /// The same for the fields that take one number with one unit (`^[0-9]+(\\.[0-9]+)?(ns|us|ms|s|m|h)$`), as netem's
    /// times do.
    ///
    /// - Throws: ``QuantityError`` for what the schema of Chaos Mesh refuses, such as `1m30s`.
    public static func parseOneUnit(_ text: String) throws(QuantityError) -> Duration {
        let duration = try parse(text)
        let number = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        let unit = text.dropFirst(number.count)
        guard ["ns", "us", "ms", "s", "m", "h"].contains(unit), !number.hasPrefix("."), !number.hasSuffix(".")
        else { throw QuantityError("must be one number with one unit here, such as 200ms or 1.5s") }
        return duration
    }

    /// The shortest text that ``parse(_:)`` reads back: `1m30s`, `2s`, `500ms`, `0s`.
    public static func text(_ duration: Duration) -> String {
        let (seconds, attoseconds) = duration.components
        var rest = seconds * 1_000_000_000 + attoseconds / 1_000_000_000
        var text = ""
        for (name, nanoseconds) in unitsInNanoseconds.reversed() where !name.hasSuffix("µs") && !name.hasSuffix("μs") {
            let count = rest / nanoseconds
            if count > 0 { text += "\(count)\(name)" }
            rest -= count * nanoseconds
        }
        return text.isEmpty ? "0s" : text
    }
}
