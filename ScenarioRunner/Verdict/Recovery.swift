import Experiments

/// When users suffered, and when the system was well again.
///
/// A second is good when success is at least the baseline's less one point, and p95 at most the larger of twice the
/// baseline's and the baseline's plus 50 ms. Recovered is the first of three good seconds in a row; a second without
/// requests is not good, for nothing is known of it. Detected is the first second with requests that is not good: what
/// an alarm that looks once a second would notice.
public struct Recovery: Sendable, Equatable {
    /// One whole second of a part.
    struct Second: Sendable, Equatable {
        let counts: RequestCounts
        /// 0 without requests.
        let p95Ms: Double
        let isGood: Bool

        /// Users suffered in it.
        var isBad: Bool { counts.requests > 0 && !isGood }
    }

    static let goodSecondsInARow = 3
    static let successTolerance = 0.01

    private let baseline: PhaseSummary

    public init(baseline: PhaseSummary) {
        self.baseline = baseline
    }

    static func isGood(successRate: Double, against baseline: Double) -> Bool {
        // Rates are fractions of small counts: 0.99 must not fail for its binary form.
        successRate >= baseline - successTolerance - 1e-9
    }

    static func isGood(p95Ms: Double, against baseline: Double) -> Bool {
        p95Ms <= max(2 * baseline, baseline + 50)
    }

    /// The whole seconds from `startNs` on; one that `endNs` cuts short is not judged.
    func seconds(_ samples: [RequestSample], from startNs: UInt64, to endNs: UInt64) -> [Second] {
        guard endNs > startNs else { return [] }
        let due = samples.filter { $0.intendedNs >= startNs && $0.intendedNs < endNs }
        let bySecond = Dictionary(grouping: due) { Int(($0.intendedNs - startNs) / 1_000_000_000) }
        return (0..<Int((endNs - startNs) / 1_000_000_000)).map { judge(bySecond[$0] ?? []) }
    }

    private func judge(_ samples: [RequestSample]) -> Second {
        let counts = RequestCounts(samples)
        let p95Ms = ExactPercentiles(samples).ms(at: 95)
        let isGood =
            !samples.isEmpty && Self.isGood(successRate: counts.successRate, against: baseline.successRate)
            && Self.isGood(p95Ms: p95Ms, against: baseline.p95Ms)
        return Second(counts: counts, p95Ms: p95Ms, isGood: isGood)
    }

    /// Milliseconds from the start of the seconds to that of the first of three good ones in a row; nil when there were
    /// none.
    ///
    /// - Parameter seconds: from the removal of the fault on, so that none is half in the fault.
    static func timeMs(_ seconds: [Second]) -> Int? {
        var goodInARow = 0
        for (index, second) in seconds.enumerated() {
            goodInARow = second.isGood ? goodInARow + 1 : 0
            if goodInARow == goodSecondsInARow { return (index - goodSecondsInARow + 1) * 1000 }
        }
        return nil
    }

    /// Milliseconds from the start of the seconds to that of the first in which users suffered; nil when they did in none.
    ///
    /// - Parameter seconds: from the injection of the fault on.
    static func detectionMs(_ seconds: [Second]) -> Int? {
        seconds.firstIndex(where: \.isBad).map { $0 * 1000 }
    }

    /// ``timeMs(_:)`` of the seconds between two instants.
    public func timeMs(_ samples: [RequestSample], removedNs: UInt64, endNs: UInt64) -> Int? {
        Self.timeMs(seconds(samples, from: removedNs, to: endNs))
    }
}
