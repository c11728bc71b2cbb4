import Foundation

/// A number of one part of a run that two runs are compared by.
public enum CompareMetric: String, Codable, Sendable, CaseIterable {
    case success, throughput, p50, p95, p99

    /// The least difference that is worth a word, even where a smaller one is no chance: nobody acts on a p50 that moved
    /// by half a millisecond, and two runs of one system on one machine differ by so much.
    struct Trifle: Sendable {
        /// In the metric's unit.
        let absolute: Double
        /// As a share of the first run's value.
        let relative: Double

        func covers(_ a: Double, _ b: Double) -> Bool {
            abs(b - a) < absolute || abs(b - a) < relative * abs(a)
        }
    }

    var trifle: Trifle {
        switch self {
        case .success: Trifle(absolute: 0.01, relative: 0)
        case .throughput: Trifle(absolute: 0.5, relative: 0.05)
        case .p50: Trifle(absolute: 3, relative: 0.2)
        case .p95: Trifle(absolute: 10, relative: 0.25)
        case .p99: Trifle(absolute: 20, relative: 0.3)
        }
    }

    /// `share`, `requests/s`, `ms`: as the effects of a journal say.
    public var unit: String { effect.unit }

    private var effect: Effect.Metric {
        switch self {
        case .success: .successRate
        case .throughput: .throughputRps
        case .p50: .p50Ms
        case .p95: .p95Ms
        case .p99: .p99Ms
        }
    }

    /// For people.
    public func text(_ value: Double) -> String {
        switch self {
        case .success: NumberText.percent(value)
        case .throughput: "\(NumberText.short((value * 10).rounded() / 10))/s"
        case .p50, .p95, .p99: NumberText.latency(value)
        }
    }

    /// With a sign: `+4.2 s`, `-3.1 points`.
    public func differenceText(_ value: Double) -> String { EffectText.text(value, unit) }

    func value(in phase: PhaseSummary) -> Double { effect.value(in: phase) }

    /// What is compared, of one second; nil where it says nothing of this metric. Latencies are compared by their
    /// logarithms: one second ten times as slow must not outweigh all others.
    func value(in second: SeriesPoint) -> Double? {
        switch self {
        case .success: second.requests > 0 ? second.counts.successRate : nil
        case .throughput: Double(second.counts.successes)
        case .p50: Self.logarithm(second.p50Ms, second)
        case .p95: Self.logarithm(second.p95Ms, second)
        case .p99: Self.logarithm(second.p99Ms, second)
        }
    }

    private static func logarithm(_ ms: Double, _ second: SeriesPoint) -> Double? {
        second.requests > 0 ? log(max(ms, 0.001)) : nil
    }

    /// What the phase's value becomes when the mean of its seconds moves from `mean` to `drawn`.
    func moved(_ value: Double, from mean: Double, to drawn: Double) -> Double {
        switch self {
        case .success: min(max(value + drawn - mean, 0), 1)
        case .throughput: mean > 0 ? value * drawn / mean : value
        case .p50, .p95, .p99: value * exp(drawn - mean)
        }
    }
}
