/// Seconds from the start of a run, from left to right.
///
/// Charts are drawn on a canvas ``width`` wide that is stretched to the page; texts stand beside it in percent, so that
/// they are never stretched.
struct TimeAxis: Sendable, Equatable {
    /// Where the chart ends, in seconds; more than 0.
    let end: Double

    static let width = 1000.0
    private static let steps: [Double] = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600]
    private static let mostTicks = 9.0

    init(end: Double) { self.end = end.isFinite ? max(end, 1) : 1 }

    /// On the canvas.
    func x(_ seconds: Double) -> Double { min(max(seconds / end, 0), 1) * Self.width }

    /// For texts, 0 to 100.
    func percent(_ seconds: Double) -> Double { x(seconds) / Self.width * 100 }

    /// Round times.
    var ticks: [(seconds: Double, label: String)] {
        let step = Self.steps.first { end / $0 <= Self.mostTicks } ?? (end / Self.mostTicks).rounded(.up)
        return stride(from: 0, through: end, by: step).map { ($0, Self.label($0)) }
    }

    /// `0`, `45 s`, `2:30`.
    static func label(_ seconds: Double) -> String {
        let whole = Int(seconds.rounded())
        if whole == 0 { return "0" }
        if whole < 120 { return "\(whole) s" }
        let rest = whole % 60
        return "\(whole / 60):\(rest < 10 ? "0" : "")\(rest)"
    }
}
