/// What an experiment expects, in numbers: `success >= 30%, p95 <= 5s, recovery <= 15s, money right`.
///
/// ```
///   hypothesis = clause {"," clause}
///   clause     = metric comparison value ["during" | "after"] | "recovery" comparison time
///              | "money" ("right" | "wrong") | ["not"] "metastable"
///   metric     = success | declined | throughput | p50 | p90 | p95 | p99 | p999 | max
///   comparison = < | <= | > | >=
///   value      = 30% (success, declined) | 20/s (throughput) | 500ms, 5s (the others)
/// ```
///
/// `during` the fault is meant unless `after` is said. Metastable is a system that stays bad when the fault is gone. A hypothesis may well be that it fails: `success < 30%`.
public struct Hypothesis: Sendable, Equatable, CustomStringConvertible {
    /// Which part of a run counts.
    public enum Window: String, Sendable, CaseIterable {
        /// While the fault acts.
        case during
        /// Once it is gone.
        case after
    }

    public enum Clause: Sendable, Equatable, CustomStringConvertible {
        case metric(Metric, Comparison, Threshold, Window)
        /// From the end of the fault to the first steady second, in milliseconds.
        case recovery(Comparison, Threshold)
        case money(isRight: Bool)
        /// Whether the system stays bad without the fault.
        case metastable(Bool)

        public var description: String {
            switch self {
            case .metric(let metric, let comparison, let threshold, let window):
                "\(metric.rawValue) \(comparison.rawValue) \(threshold)" + (window == .after ? " after" : "")
            case .recovery(let comparison, let threshold): "recovery \(comparison.rawValue) \(threshold)"
            case .money(let isRight): "money \(isRight ? "right" : "wrong")"
            case .metastable(let isMetastable): isMetastable ? "metastable" : "not metastable"
            }
        }
    }

    /// How long the system took to be as before.
    public enum Recovery: Sendable, Equatable {
        case after(milliseconds: Double)
        /// It was watched to the end, and was not.
        case never
    }

    /// What a run measured; nil is not known.
    public struct Evidence: Sendable {
        public var during: MeasuredPart?
        public var after: MeasuredPart?
        public var recovery: Recovery?
        public var moneyIsRight: Bool?
        public var isMetastable: Bool?

        public init() {}
    }

    public struct Finding: Sendable, Equatable {
        public enum Outcome: Sendable, Equatable {
            case held, failed
            /// What it speaks of was not measured.
            case unknown
        }

        public let clause: Clause
        public let outcome: Outcome
        /// What was measured instead: `success 97.1%`.
        public let measured: String
    }

    /// At least one.
    public let clauses: [Clause]

    /// As it is parsed, in one spelling.
    public var description: String { clauses.map(\.description).joined(separator: ", ") }

    /// One finding for each clause, in their order. The hypothesis held when all of them did.
    public func evaluate(_ evidence: Evidence) -> [Finding] {
        clauses.map { $0.finding(evidence) }
    }
}

extension Hypothesis.Clause {
    fileprivate func finding(_ evidence: Hypothesis.Evidence) -> Hypothesis.Finding {
        func finding(_ holds: Bool?, _ measured: String) -> Hypothesis.Finding {
            .init(clause: self, outcome: holds.map { $0 ? .held : .failed } ?? .unknown, measured: measured)
        }
        switch self {
        case .metric(let metric, let comparison, let threshold, let window):
            let part = window == .during ? evidence.during : evidence.after
            guard let value = part?.value(of: metric) else { return finding(nil, "\(metric.rawValue) not measured") }
            return finding(
                comparison.holds(value, threshold.value), "\(metric.rawValue) \(Threshold.text(value, metric.unit))")
        case .recovery(let comparison, let threshold):
            switch evidence.recovery {
            case .after(let milliseconds)?:
                return finding(
                    comparison.holds(milliseconds, threshold.value),
                    "recovery \(Threshold.text(milliseconds, .milliseconds))")
            // Longer than any time that was waited for.
            case .never?: return finding(comparison.holds(.infinity, threshold.value), "no recovery")
            case nil: return finding(nil, "recovery not measured")
            }
        case .money(let isRight):
            guard let truth = evidence.moneyIsRight else { return finding(nil, "money not checked") }
            return finding(truth == isRight, "money \(truth ? "right" : "wrong")")
        case .metastable(let expected):
            guard let truth = evidence.isMetastable else {
                return finding(nil, "whether it is metastable cannot be said; a longer recovery may tell")
            }
            return finding(truth == expected, Hypothesis.Clause.metastable(truth).description)
        }
    }
}

extension Hypothesis {
    /// - Throws: ``QuantityError`` that names the first clause that is none.
    public static func parse(_ text: String) throws(QuantityError) -> Hypothesis {
        var clauses: [Clause] = []
        for words in try ExpectationText.clauses(text) {
            let clause = try clause(words)
            guard !clauses.contains(clause) else { throw QuantityError("says '\(clause)' twice") }
            clauses.append(clause)
        }
        return Hypothesis(clauses: clauses)
    }

    private static func clause(_ words: [Substring]) throws(QuantityError) -> Clause {
        if let isRight = ExpectationText.money(words) { return .money(isRight: isRight) }
        if words == ["metastable"] { return .metastable(true) }
        if words == ["not", "metastable"] { return .metastable(false) }
        if words[0] == "recovery" {
            guard words.count == 3 else { throw ExpectationText.malformed(words, "recovery <= 15s") }
            return .recovery(
                try ExpectationText.comparison(words[1]), try Threshold.parse(words[2], .milliseconds))
        }
        let metric = try ExpectationText.metric(words[0], also: ["recovery", "money", "metastable"])
        guard (3...4).contains(words.count) else { throw ExpectationText.malformed(words, "success >= 30%") }
        let comparison = try ExpectationText.comparison(words[1])
        let threshold = try Threshold.parse(words[2], metric.unit)
        guard words.count == 4 else { return .metric(metric, comparison, threshold, .during) }
        guard let window = Window(rawValue: String(words[3])) else {
            throw QuantityError("has '\(words[3])' where only during or after can stand")
        }
        return .metric(metric, comparison, threshold, window)
    }
}
