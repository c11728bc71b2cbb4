import Experiments
import Foundation

/// Two runs side by side: where they differ, by how much, and whether that can be chance.
///
/// ```
///   seconds of a part of A --.
///                            +--> Welch's test, corrected for seconds that are alike --> Holm over all --> differs?
///   seconds of the same of B -'--> drawn again block by block, 2000 times ------------> 95 % interval
/// ```
///
/// Of all comparisons of two runs of one system, about 5 % say that anything differs at all (Holm 1979: the smallest
/// of m chances is held against 5 % / m, the next against 5 % / (m - 1), and so on), and more when a part has only a few
/// seconds; a difference must also be no ``CompareMetric/Trifle``. What differs from run to run as a whole, such as a machine that is busy with something
/// else, two runs cannot tell from a difference of the systems.
public struct RunComparison: Codable, Sendable, Equatable {
    /// One of the two runs.
    public struct Run: Codable, Sendable, Equatable {
        public let runID: String
        public let experiment: String
        public let verdict: Verdict
        /// Unix seconds.
        public let startedAt: Double
        /// Nil when it did not recover while it was watched, or was not watched.
        public let timeToRecoverMs: Int?

        enum CodingKeys: String, CodingKey {
            case experiment, verdict
            case runID = "run_id"
            case startedAt = "started_at"
            case timeToRecoverMs = "time_to_recover_ms"
        }
    }

    /// One metric in one part of both runs.
    public struct Line: Codable, Sendable, Equatable {
        public let metric: CompareMetric
        public let phase: PhaseName
        public let unit: String
        /// As the journals have them, in ``unit``s.
        public let a: Double
        public let b: Double
        /// `b` less `a`.
        public let difference: Double
        /// The ends of the 95 % interval of the difference.
        public let low: Double
        public let high: Double
        /// The probability of so large a difference between two runs of one system, were it the only one looked at.
        public let chance: Double
        /// The same for the largest of all differences that were looked at.
        public let familyChance: Double
        public let differs: Bool

        /// `difference` as a share of `a`; nil when that is 0.
        public var relative: Double? { a == 0 ? nil : difference / a }

        enum CodingKeys: String, CodingKey {
            case metric, phase, unit, a, b, difference, low, high, chance, differs
            case familyChance = "family_chance"
        }
    }

    public let a: Run
    public let b: Run
    public let lines: [Line]
    /// What keeps the two from being compared in full, or makes them differ by design.
    public let notes: [String]
    /// Of the drawing of seconds.
    public let seed: UInt64

    /// Whether anything differs.
    public var differs: Bool { lines.contains(where: \.differs) }

    static let phases: [PhaseName] = [.baseline, .fault, .recovery]
    static let familyWiseError = 0.05
    static let resamples = 2000
    /// Fewer seconds of a part say too little of how much they vary.
    static let leastSeconds = 5

    public func line(_ metric: CompareMetric, _ phase: PhaseName) -> Line? {
        lines.first { $0.metric == metric && $0.phase == phase }
    }
}

extension RunComparison {
    /// - Parameter seed: of the drawing of seconds; the same one gives the same intervals.
    public init(_ a: Journal, _ b: Journal, seed: UInt64 = 1) {
        self.init(a, b, seed: seed, resamples: Self.resamples)
    }

    /// - Parameter resamples: at least 40, or there is no tail to cut off.
    init(_ a: Journal, _ b: Journal, seed: UInt64, resamples: Int) {
        var all: [(phase: PhaseName, parts: Parts)] = []
        var notes = Self.notes(a, b)
        for phase in Self.phases {
            guard let parts = Parts(a, b, phase) else { continue }
            guard parts.isLongEnough else {
                notes.append(
                    "\(RunTimeline.name(phase)): fewer than \(Self.leastSeconds) whole seconds with requests, not compared"
                )
                continue
            }
            all.append((phase, parts))
        }
        let correlations = CompareMetric.allCases.map { metric in
            SecondSample.correlation(in: all.flatMap { $0.parts.values(of: metric) })
        }
        let drafts = all.flatMap { phase, parts in
            zip(CompareMetric.allCases, correlations).map { metric, correlation in
                Draft(metric, phase, parts, correlation: correlation, seed: seed, resamples: resamples)
            }
        }
        let family = Self.holm(drafts.map(\.chance))
        self.init(
            a: Run(a), b: Run(b), lines: zip(drafts, family).map { $0.line(familyChance: $1) }, notes: notes, seed: seed
        )
    }

    /// Adjusted chances, each to be held against ``familyWiseError``, in the order given.
    static func holm(_ chances: [Double]) -> [Double] {
        var adjusted = chances
        var most = 0.0
        for (rank, index) in chances.indices.sorted(by: { chances[$0] < chances[$1] }).enumerated() {
            most = max(most, min(1, chances[index] * Double(chances.count - rank)))
            adjusted[index] = most
        }
        return adjusted
    }

    private static func notes(_ a: Journal, _ b: Journal) -> [String] {
        var notes: [String] = []
        if a.experiment != b.experiment { notes.append("different experiments: \(a.experiment), \(b.experiment)") }
        if a.input.rateRps != b.input.rateRps {
            notes.append(
                "different rates: \(NumberText.short(a.input.rateRps))/s, \(NumberText.short(b.input.rateRps))/s")
        }
        if a.input.model != b.input.model { notes.append("different load: \(a.input.model), \(b.input.model)") }
        if let before = a.input.resilience, let after = b.input.resilience, before != after {
            notes.append("different resilience: \(before), and \(after)")
        }
        if a.input.times != b.input.times { notes.append("different times: \(a.input.times), and \(b.input.times)") }
        if a.engine != b.engine { notes.append("different engines: \(a.engine), \(b.engine)") }
        if a.machine.kernel != b.machine.kernel || a.machine.cores != b.machine.cores {
            notes.append("different machines: \(a.machine.words), and \(b.machine.words)")
        }
        for journal in [a, b] where journal.verdict == .invalid || journal.verdict == .aborted {
            notes.append("\(journal.runID) is \(journal.verdict.rawValue): it may say nothing about the system")
        }
        return notes
    }

    /// The whole seconds of one part of both runs.
    private struct Parts {
        let a: (summary: PhaseSummary, seconds: [SeriesPoint])
        let b: (summary: PhaseSummary, seconds: [SeriesPoint])

        init?(_ a: Journal, _ b: Journal, _ phase: PhaseName) {
            guard let partA = Self.part(a, phase), let partB = Self.part(b, phase) else { return nil }
            (self.a, self.b) = (partA, partB)
        }

        var isLongEnough: Bool {
            min(a.seconds.count { $0.requests > 0 }, b.seconds.count { $0.requests > 0 }) >= RunComparison.leastSeconds
        }

        /// One number a second, of A and of B.
        func values(of metric: CompareMetric) -> [[Double]] {
            [a.seconds.compactMap(metric.value(in:)), b.seconds.compactMap(metric.value(in:))]
        }

        private static func part(
            _ journal: Journal, _ phase: PhaseName
        ) -> (summary: PhaseSummary, seconds: [SeriesPoint])? {
            guard let summary = journal.phase(phase), summary.requests > 0,
                let part = RunTimeline(journal).parts.first(where: { $0.phase == phase })
            else { return nil }
            // A second that is half in the next part is of neither.
            let seconds = journal.series.filter { Double($0.t) >= part.start && Double($0.t) + 1 <= part.end }
            return (summary, seconds)
        }
    }

    /// A line before its place among all is known.
    private struct Draft {
        let metric: CompareMetric
        let phase: PhaseName
        let a: Double
        let b: Double
        let low: Double
        let high: Double
        let chance: Double

        init(
            _ metric: CompareMetric, _ phase: PhaseName, _ parts: Parts, correlation: Double, seed: UInt64,
            resamples: Int
        ) {
            self.metric = metric
            self.phase = phase
            let (valueA, valueB) = (metric.value(in: parts.a.summary), metric.value(in: parts.b.summary))
            let samples = parts.values(of: metric).map { SecondSample($0, correlation: correlation) }
            let (sampleA, sampleB) = (samples[0], samples[1])
            (a, b) = (valueA, valueB)
            chance = SecondSample.chance(sampleA, sampleB)
            var generator = SeededGenerator(seed: seed, purpose: "\(metric.rawValue) \(phase.rawValue)")
            func drawn(_ sample: SecondSample, _ value: Double) -> Double {
                let mean =
                    sample.resample(&generator).reduce(0) { $0 + sample.values[$1] } / Double(sample.values.count)
                return metric.moved(value, from: sample.mean, to: mean)
            }
            let differences = (0..<resamples).map { _ in
                drawn(sampleB, valueB) - drawn(sampleA, valueA)
            }.sorted()
            let tail = resamples / 40
            low = min(differences[tail], valueB - valueA)
            high = max(differences[differences.count - 1 - tail], valueB - valueA)
        }

        func line(familyChance: Double) -> Line {
            Line(
                metric: metric, phase: phase, unit: metric.unit, a: a, b: b, difference: b - a, low: low, high: high,
                chance: chance, familyChance: familyChance,
                differs: familyChance <= RunComparison.familyWiseError && !metric.trifle.covers(a, b))
        }
    }
}

extension RunComparison.Run {
    init(_ journal: Journal) {
        self.init(
            runID: journal.runID, experiment: journal.experiment, verdict: journal.verdict,
            startedAt: journal.startedAt, timeToRecoverMs: journal.recoveryTimeMs)
    }
}

extension RunInput {
    fileprivate var times: String {
        "before \(NumberText.span(baselineS)), fault \(NumberText.span(durationS)), after \(NumberText.span(recoveryS))"
    }
}

extension RunMachine {
    fileprivate var words: String { "\(cores) processors, \(kernel)" }
}
