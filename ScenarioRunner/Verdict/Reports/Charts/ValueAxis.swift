import Foundation

/// Values from bottom to top, in even steps or, where they span decades, in even ratios.
struct ValueAxis: Sendable, Equatable {
    struct Tick: Sendable, Equatable {
        let value: Double
        let label: String
    }

    let low: Double
    let high: Double
    let isLogarithmic: Bool
    /// From bottom to top.
    let ticks: [Tick]

    /// The height of the canvas.
    static let height = 170.0

    /// On the canvas, which counts from the top; what lies outside is drawn at the edge.
    func y(_ value: Double) -> Double {
        let share =
            isLogarithmic
            ? log(max(value, low) / low) / log(high / low)
            : (value - low) / (high - low)
        return (1 - min(max(share, 0), 1)) * Self.height
    }

    /// From 0 to a round number at or above `most`.
    static func counting(to most: Double, unit: String = "") -> ValueAxis {
        let step = roundStep(max(most, 1) / 4)
        let high = (max(most, 1) / step).rounded(.up) * step
        let ticks = stride(from: 0, through: high + step / 2, by: step).map { value in
            Tick(value: value, label: NumberText.short(value) + unit)
        }
        return ValueAxis(low: 0, high: high, isLogarithmic: false, ticks: ticks)
    }

    /// 0 to 100 %.
    static let percent = ValueAxis(
        low: 0, high: 100, isLogarithmic: false,
        ticks: [0, 25, 50, 75, 100].map { Tick(value: $0, label: "\(Int($0)) %") })

    /// Milliseconds, in even ratios where the largest is more than 20 times the smallest. What is not above 0 does not
    /// count.
    static func latency(_ values: [Double]) -> ValueAxis {
        let values = values.filter { $0 > 0 && $0.isFinite }
        guard let least = values.min(), let most = values.max() else { return latency([1, 10]) }
        guard most / least > 20 else {
            let step = roundStep(most / 4)
            let high = (most / step).rounded(.up) * step
            return ValueAxis(
                low: 0, high: high, isLogarithmic: false,
                ticks: stride(from: 0, through: high + step / 2, by: step).map(tick))
        }
        let low = decade(least, .down)
        let high = max(decade(most, .up), low * 10)
        var ticks: [Tick] = []
        var value = low
        while value <= high * 1.001 {
            ticks.append(tick(value))
            value *= 10
        }
        return ValueAxis(low: low, high: high, isLogarithmic: true, ticks: ticks)
    }

    private static func tick(_ ms: Double) -> Tick { Tick(value: ms, label: NumberText.tickLatency(ms)) }

    private static func decade(_ value: Double, _ rule: FloatingPointRoundingRule) -> Double {
        pow(10, log10(value).rounded(rule))
    }

    /// 1, 2, 2.5 or 5 times a power of ten, at least `step`.
    private static func roundStep(_ step: Double) -> Double {
        let decade = pow(10, log10(step).rounded(.down))
        return [1, 2, 2.5, 5, 10].map { $0 * decade }.first { $0 >= step * 0.999 } ?? 10 * decade
    }
}
