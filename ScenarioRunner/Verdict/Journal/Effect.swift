import Experiments

/// What one part of a run did to one number, against the baseline.
public struct Effect: Codable, Sendable, Equatable {
    public enum Metric: String, Codable, Sendable, CaseIterable {
        /// 0 to 1.
        case successRate = "success_rate"
        case throughputRps = "throughput_rps"
        case p50Ms = "p50_ms"
        case p95Ms = "p95_ms"
        case p99Ms = "p99_ms"

        /// `share`, `requests/s`, `ms`.
        public var unit: String {
            switch self {
            case .successRate: "share"
            case .throughputRps: "requests/s"
            case .p50Ms, .p95Ms, .p99Ms: "ms"
            }
        }

        public func value(in phase: PhaseSummary) -> Double {
            switch self {
            case .successRate: phase.successRate
            case .throughputRps: phase.throughputRps
            case .p50Ms: phase.p50Ms
            case .p95Ms: phase.p95Ms
            case .p99Ms: phase.p99Ms
            }
        }
    }

    public var metric: Metric
    /// The part that is compared: `fault` or `recovery`.
    public var phase: PhaseName
    /// In ``unit``s, as are the following ones.
    public var baseline: Double
    public var value: Double
    /// `value` less `baseline`.
    public var difference: Double
    /// The ends of the 95 % interval of the difference.
    public var low: Double
    public var high: Double
    public var unit: String
    /// Whether it is a difference at all, and not only chance or a trifle.
    public var differs: Bool

    /// - Parameters:
    ///   - low, high: widened where they do not hold the difference itself.
    public init(
        metric: Metric, phase: PhaseName, baseline: Double, value: Double, low: Double, high: Double, differs: Bool
    ) {
        self.metric = metric
        self.phase = phase
        self.baseline = baseline
        self.value = value
        difference = value - baseline
        self.low = min(low, difference)
        self.high = max(high, difference)
        unit = metric.unit
        self.differs = differs
    }
}
