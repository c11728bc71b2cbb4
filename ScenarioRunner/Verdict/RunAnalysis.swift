import Experiments

/// Everything that a run's samples say: pure, so that it can be made again from the same samples.
///
/// ```
///   samples, parts --> phases, series, replicas --> effects, findings, recovery
/// ```
public struct RunAnalysis: Sendable {
    public let phases: [PhaseSummary]
    public let series: [SeriesPoint]
    public let effects: [Effect]
    public let replicas: [ReplicaSummary]
    public let replicaFindings: [ReplicaFinding]
    public let recovery: RecoveryFacts

    /// What there is to analyse.
    public struct Input: Sendable {
        public var samples: [RequestSample]
        public var clock: PhaseClock
        /// Unix seconds of the run's start.
        public var startedAt: Double
        /// When the fault was verified to be gone, on the load's clock; nil when it never was.
        public var removedNs: UInt64?
        public var topology: RunTopology
        public var backlog: [BacklogSample]
        /// The run's; decides the draws of the intervals.
        public var seed: UInt64

        public init(
            samples: [RequestSample], clock: PhaseClock, startedAt: Double, removedNs: UInt64?, topology: RunTopology,
            backlog: [BacklogSample] = [], seed: UInt64
        ) {
            self.samples = samples
            self.clock = clock
            self.startedAt = startedAt
            self.removedNs = removedNs
            self.topology = topology
            self.backlog = backlog
            self.seed = seed
        }
    }

    /// - Parameter isComplete: false leaves out what is only worth its cost once: intervals, and what rests on them.
    public init(_ input: Input, isComplete: Bool = true) {
        phases = PhaseSummary.all(input.samples, input.clock, startedAt: input.startedAt)
        series = SeriesPoint.series(input.samples, input.clock)
        replicas = ReplicaSummary.all(input.samples, input.clock, input.topology)
        replicaFindings =
            isComplete
            ? ReplicaRules(samples: input.samples, clock: input.clock, seed: input.seed).findings(replicas) : []
        var effects: [Effect] = []
        var recovery = RecoveryFacts(backlog: input.backlog)
        if let baseline = phases.first(where: { $0.name == .baseline }), let window = input.clock.windows[.baseline] {
            recovery = Self.recovery(input, baseline)
            if isComplete {
                let rules = EffectRules(
                    samples: input.samples, baseline: baseline, window: window, seed: input.seed)
                for phase in phases where phase.name != .baseline {
                    guard let window = input.clock.windows[phase.name] else { continue }
                    effects += rules.effects(of: phase, in: window, named: phase.name.rawValue)
                }
                recovery.residual = Self.residual(input, rules)
            }
        }
        self.effects = effects
        self.recovery = recovery
    }

    private static func recovery(_ input: Input, _ baseline: PhaseSummary) -> RecoveryFacts {
        var facts = RecoveryFacts(backlog: input.backlog)
        guard baseline.requests > 0 else { return facts }
        let judge = Recovery(baseline: baseline)
        if let window = input.clock.windows[.fault] {
            facts.timeToDetectMs = Recovery.detectionMs(
                judge.seconds(input.samples, from: window.lowerBound, to: window.upperBound))
        }
        guard let removedNs = input.removedNs else { return facts }
        if let window = input.clock.windows[.baseline] {
            let start = seconds(from: input.clock.startNs, to: window.lowerBound)
            facts.backlogDrainedMs = Backlog.drainedMs(
                input.backlog, baseline: start...(start + baseline.durationS),
                removedAt: seconds(from: input.clock.startNs, to: removedNs))
        }
        guard let window = input.clock.windows[.recovery] else { return facts }
        let after = judge.seconds(input.samples, from: removedNs, to: window.upperBound)
        facts.timeToRecoverMs = Recovery.timeMs(after)
        facts.metastable = Metastability.judge(after, baseline: baseline)
        return facts
    }

    /// What is left of the effect in the last third of the recovery, of at least ``BlockBootstrap/leastSeconds``.
    private static func residual(_ input: Input, _ rules: EffectRules) -> [Effect] {
        guard let window = input.clock.windows[.recovery] else { return [] }
        let length = window.upperBound - window.lowerBound
        let tail = max(length / 3, UInt64(BlockBootstrap.leastSeconds) * 1_000_000_000)
        guard tail <= length else { return [] }
        let end = (window.upperBound - tail)..<window.upperBound
        let samples = input.samples.filter { end.contains($0.intendedNs) }
        let summary = PhaseSummary(
            name: .recovery, samples: samples,
            startedAt: input.startedAt + seconds(from: input.clock.startNs, to: end.lowerBound),
            durationS: seconds(from: end.lowerBound, to: end.upperBound))
        return rules.effects(of: summary, in: end, named: "residual")
    }
}
