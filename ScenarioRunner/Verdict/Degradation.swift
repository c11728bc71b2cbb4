import Experiments

/// How many times slower the system was during the fault than before it.
public struct Degradation: Codable, Sendable, Equatable {
    /// Nil when one of the two has no requests.
    public let p50: Double?
    public let p95: Double?

    public init(baseline: PhaseSummary?, fault: PhaseSummary?) {
        p50 = Self.factor(baseline, fault, \.p50Ms)
        p95 = Self.factor(baseline, fault, \.p95Ms)
    }

    private static func factor(
        _ before: PhaseSummary?, _ during: PhaseSummary?, _ value: (PhaseSummary) -> Double
    ) -> Double? {
        guard let before, let during, during.requests > 0, value(before) > 0 else { return nil }
        return value(during) / value(before)
    }
}
