import Shared

/// Resilience settings as manifests and the command line write them: `retry-storm + retry_budget, inventory pool 2 x
/// 80ms`.
///
/// ```
///   settings = profile {("+" | "-") pattern} ["," "inventory pool" connections "x" time]
///   profile  = naive | hardened | retry-storm
/// ```
extension ResilienceSettings {
    /// - Throws: ``QuantityError`` that names the first word which is not understood.
    public static func parse(_ text: String) throws(QuantityError) -> ResilienceSettings {
        let parts = text.split(separator: ",", omittingEmptySubsequences: false).map { $0.split(separator: " ") }
        guard let first = parts.first?.first else { throw QuantityError("is empty: begin with \(profileNames)") }
        guard let profile = ResilienceProfile(rawValue: String(first)) else {
            throw QuantityError("begins with '\(first)': use \(profileNames)")
        }
        var settings = ResilienceSettings(profile)
        try settings.apply(parts[0].dropFirst())
        guard parts.count <= 2 else { throw QuantityError("has more than two parts between commas") }
        if parts.count == 2 { settings.inventoryPool = try pool(parts[1]) }
        return settings
    }

    private static var profileNames: String { ResilienceProfile.allCases.map(\.rawValue).joined(separator: ", ") }

    private mutating func apply(_ words: ArraySlice<Substring>) throws(QuantityError) {
        var rest = words
        while let sign = rest.popFirst() {
            guard sign == "+" || sign == "-", let name = rest.popFirst() else {
                throw QuantityError("has '\(sign)' where only + or - and a pattern can stand")
            }
            guard let pattern = ResiliencePattern(rawValue: String(name)) else {
                let known = ResiliencePattern.allCases.map(\.rawValue).joined(separator: ", ")
                throw QuantityError("names the pattern '\(name)': use \(known)")
            }
            set(pattern, sign == "+")
        }
    }

    private static func pool(_ words: [Substring]) throws(QuantityError) -> InventoryPool {
        guard words.count == 5, words[0] == "inventory", words[1] == "pool", words[3] == "x",
            let connections = Int(words[2]), InventoryPool.connectionRange.contains(connections),
            let hold = try? GoDuration.parse(String(words[4])),
            InventoryPool.holdRangeMs.contains(Int(hold.nanoseconds / 1_000_000))
        else {
            throw QuantityError(
                "has '\(words.joined(separator: " "))' after its comma: write 'inventory pool 2 x 80ms', with 1 to 256 "
                    + "connections that are busy for 1ms to 5s a call")
        }
        return InventoryPool(connections: connections, holdMs: Int(hold.nanoseconds / 1_000_000))
    }
}

/// The load that a manifest asks for: `18/s`.
enum RateText {
    static func parse(_ text: String) throws(QuantityError) -> Int {
        guard text.hasSuffix("/s"), let rate = Int(text.dropLast(2)), RunLimits.rates.contains(rate) else {
            throw QuantityError("is no rate: write 1/s to \(RunLimits.rates.upperBound)/s")
        }
        return rate
    }
}
