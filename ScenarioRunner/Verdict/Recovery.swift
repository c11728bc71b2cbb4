import Experiments

/// When the system was well again.
///
/// A second is good when success is at least the baseline's less one point, and p95 at most the larger of twice the
/// baseline's and the baseline's plus 50 ms. Recovered is the first of three good seconds in a row; a second without
/// requests is not good, for nothing is known of it.
public struct Recovery: Sendable, Equatable {
    static let goodSecondsInARow = 3
    static let successTolerance = 0.01

    private let leastSuccessRate: Double
    private let mostP95Ms: Double

    public init(baseline: PhaseSummary) {
        leastSuccessRate = baseline.successRate - Self.successTolerance
        mostP95Ms = max(2 * baseline.p95Ms, baseline.p95Ms + 50)
    }

    /// Milliseconds from the removal of the fault to the start of the first of three good seconds; nil when there were
    /// none before `endNs`.
    ///
    /// - Parameters:
    ///   - samples: of the whole run.
    ///   - removedNs: when the fault was gone; seconds are counted from here, so that none is half in the fault.
    ///   - endNs: the end of the recovery; a second that it cuts short is not judged.
    public func timeMs(_ samples: [RequestSample], removedNs: UInt64, endNs: UInt64) -> Int? {
        guard endNs > removedNs else { return nil }
        let after = samples.filter { $0.intendedNs >= removedNs && $0.intendedNs < endNs }
        let seconds = Dictionary(grouping: after) { Int(($0.intendedNs - removedNs) / 1_000_000_000) }
        var goodInARow = 0
        for second in 0..<Int((endNs - removedNs) / 1_000_000_000) {
            goodInARow = isGood(seconds[second] ?? []) ? goodInARow + 1 : 0
            if goodInARow == Self.goodSecondsInARow { return (second - Self.goodSecondsInARow + 1) * 1000 }
        }
        return nil
    }

    private func isGood(_ samples: [RequestSample]) -> Bool {
        guard !samples.isEmpty else { return false }
        let rate = Double(samples.count { $0.isSuccess }) / Double(samples.count)
        // Rates are fractions of small counts: 0.99 must not fail for its binary form.
        return rate >= leastSuccessRate - 1e-9 && ExactPercentiles(samples).ms(at: 95) <= mostP95Ms
    }
}

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
