import Foundation

/// The difference that an effect is, with its sign and its 95 % interval: `+4.2 s (4.1 to 4.4 s)`.
struct EffectText: Sendable {
    let difference: String
    let interval: String

    init(_ effect: Effect) {
        let low = Self.text(effect.low, effect.unit)
        let high = Self.text(effect.high, effect.unit)
        difference = Self.text(effect.difference, effect.unit)
        interval = "\(low) to \(high)"
    }

    /// - Parameter unit: as ``Effect/Metric/unit`` says.
    static func text(_ value: Double, _ unit: String) -> String {
        let size = abs(value)
        let number =
            switch unit {
            case "share": String(format: "%.1f points", size * 100)
            case "ms": NumberText.latency(size)
            default: String(format: "%.1f/s", size)
            }
        // What is rounded to nothing has no sign.
        guard number.contains(where: { ("1"..."9").contains($0) }) else { return number }
        return (value > 0 ? "+" : "\u{2212}") + number
    }
}
