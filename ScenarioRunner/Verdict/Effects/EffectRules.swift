import Experiments

/// What the fault and the time after it did to the users, against the baseline.
///
/// A number *differs* when the 95 % interval of its difference does not hold 0; when chance alone would make the seconds
/// so unlike at most once in a hundred times (ten numbers are compared in a run, and it shall be quiet where nothing
/// differs); and when the difference is no trifle: of the success rate every one counts, of the throughput 1 %, of
/// latencies the larger of 1 ms and 5 % of the baseline's. There is none where a part has less than
/// ``BlockBootstrap/leastSeconds`` whole seconds, or no requests.
public struct EffectRules: Sendable {
    private static let chance = 0.01

    private let bootstrap: BlockBootstrap
    private let samples: [RequestSample]
    private let baseline: PhaseSummary
    private let window: Range<UInt64>

    /// - Parameters:
    ///   - samples: of the whole run.
    ///   - baseline, window: what it is compared with, and when that was.
    ///   - seed: the run's; decides the draws.
    public init(samples: [RequestSample], baseline: PhaseSummary, window: Range<UInt64>, seed: UInt64) {
        (self.samples, self.baseline, self.window) = (samples, baseline, window)
        bootstrap = BlockBootstrap(seed: seed)
    }

    /// - Parameters:
    ///   - part: a summary of what was due in `window`.
    ///   - name: tells the part from others of the same phase.
    /// - Returns: one effect for each metric, or none.
    public func effects(of part: PhaseSummary, in window: Range<UInt64>, named name: String) -> [Effect] {
        guard baseline.requests > 0, part.requests > 0 else { return [] }
        let both = samples.filter { self.window.contains($0.intendedNs) || window.contains($0.intendedNs) }
        let classes = LatencyClasses(both)
        let (ours, theirs) = (SecondBlocks(both, in: self.window, classes), SecondBlocks(both, in: window, classes))
        guard let before = bootstrap.part(ours, named: "baseline"), let during = bootstrap.part(theirs, named: name)
        else { return [] }
        let chances = bootstrap.chances(part: theirs, other: ours, named: name)
        return Effect.Metric.allCases.map { metric in
            let interval = BlockBootstrap.interval(during, less: before, metric)
            var effect = Effect(
                metric: metric, phase: part.name, baseline: metric.value(in: baseline), value: metric.value(in: part),
                low: interval.lowerBound, high: interval.upperBound, differs: false)
            effect.differs =
                (effect.low > 0 || effect.high < 0) && (chances[metric] ?? 1) <= Self.chance
                && !Self.isTrifle(effect)
            return effect
        }
    }

    private static func isTrifle(_ effect: Effect) -> Bool {
        switch effect.metric {
        case .successRate: false
        case .throughputRps: abs(effect.difference) < effect.baseline / 100
        case .p50Ms, .p95Ms, .p99Ms: abs(effect.difference) < max(1, effect.baseline / 20)
        }
    }
}
