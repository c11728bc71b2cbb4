import Experiments

/// How a run ended.
public enum Verdict: String, Codable, Sendable, CaseIterable {
    /// The hypothesis held, the system recovered, the money is right.
    case held
    /// It did not.
    case deviated
    /// A stop condition, a status check of its own, the kill switch or a person ended it.
    case aborted
    /// The fault did not take effect, the baseline was already bad, or the money could not be checked: the run says
    /// nothing.
    case invalid

    /// Of the command that ran it.
    public var exitCode: Int32 {
        switch self {
        case .held: 0
        case .deviated: 2
        case .aborted: 3
        case .invalid: 4
        }
    }
}

/// Turns measurements into one verdict, with every reason for it.
public enum VerdictRules {
    /// A system that fails more of its users before the fault has another problem first.
    static let leastBaselineSuccessRate = 0.99

    /// What there is to judge.
    public struct Evidence: Sendable {
        /// Who ended the run early, and why; nil when it ran to its end.
        public var stopped: String?
        /// Why the run could not be carried out, as a sentence of its own; nil when it could.
        public var failure: String?
        public var dose: Dose?
        public var baseline: PhaseSummary?
        public var recoveryTimeMs: Int?
        /// Whether the system stayed bad without the fault; nil when that cannot be said.
        public var isMetastable: Bool?
        public var money = MoneyCheck.notMade
        /// What the experiment expects; nil when it says nothing.
        public var hypothesis: Hypothesis?
        /// While the fault was in force, and after it.
        public var fault: PhaseSummary?
        public var recovery: PhaseSummary?

        public init() {}
    }

    /// Looks first at whether the run ended by itself, then at whether it says anything, then at what it says. What
    /// was found wrong stands whether the money was checked or not; what was found right needs the check.
    public static func decide(_ evidence: Evidence) -> (verdict: Verdict, reasons: [String]) {
        let findings = evidence.dose?.findings ?? []
        if let stopped = evidence.stopped { return (.aborted, [stopped] + findings) }
        let invalid = reasonsForInvalid(evidence)
        if !invalid.isEmpty { return (.invalid, invalid + findings) }
        let deviations = reasonsForDeviation(evidence)
        if !deviations.isEmpty { return (.deviated, deviations + findings) }
        if evidence.money.notChecked != nil { return (.invalid, [evidence.money.reason] + findings) }
        return (.held, reasonsForHeld(evidence) + findings)
    }

    private static func reasonsForInvalid(_ evidence: Evidence) -> [String] {
        var reasons: [String] = []
        if let failure = evidence.failure { reasons.append(failure) }
        switch evidence.dose {
        case let dose? where !dose.effective: reasons.append("the dose is not what was asked: \(dose.text)")
        case nil where evidence.failure == nil: reasons.append("nothing is known of the dose")
        default: break
        }
        guard let baseline = evidence.baseline, baseline.requests > 0 else {
            return reasons + ["the baseline has no requests"]
        }
        if baseline.successRate < leastBaselineSuccessRate {
            let rate = ReportTable.percent(baseline.successRate)
            reasons.append("the baseline was already bad: success \(rate), at least 99 % is needed")
        }
        for finding in evidence.findings where finding.outcome == .unknown {
            reasons.append("the hypothesis '\(finding.clause)' cannot be judged: \(finding.measured)")
        }
        return reasons
    }

    private static func reasonsForDeviation(_ evidence: Evidence) -> [String] {
        let clauses = evidence.hypothesis?.clauses ?? []
        var reasons = evidence.findings.filter { $0.outcome == .failed }.map {
            "the hypothesis '\($0.clause)' does not hold: \($0.measured)"
        }
        // What the hypothesis speaks of, it decides; of the rest the system has to recover, and the money to be right.
        if evidence.recoveryTimeMs == nil, !clauses.contains(where: \.decidesOnRecovery) {
            reasons.append(
                evidence.isMetastable == true
                    ? "the system is metastable: the fault is gone, it is asked no more than before, and it stays bad"
                    : "the system did not recover while it was watched")
        }
        if evidence.money.violationCount > 0, !clauses.contains(.money(isRight: false)) {
            reasons.append(evidence.money.reason)
        }
        return reasons
    }

    private static func reasonsForHeld(_ evidence: Evidence) -> [String] {
        let hypothesis = evidence.hypothesis.map { ["the hypothesis held: \($0)"] } ?? []
        let recovered = evidence.recoveryTimeMs == nil ? [] : ["the system recovered"]
        return hypothesis + ["the dose was delivered"] + recovered + [evidence.money.reason]
    }
}

extension VerdictRules.Evidence {
    /// What became of the hypothesis, for the journal.
    public var expected: ExpectedFacts { ExpectedFacts(findings) }

    /// What became of each clause of the hypothesis.
    var findings: [Hypothesis.Finding] {
        guard let hypothesis else { return [] }
        var measured = Hypothesis.Evidence()
        measured.during = fault.map(MeasuredPart.init)
        measured.after = recovery.map(MeasuredPart.init)
        measured.recovery = recoveryTimeMs.map { .after(milliseconds: Double($0)) } ?? .never
        // Unchecked money is a reason of its own.
        measured.moneyIsRight = money.violationCount == 0
        measured.isMetastable = isMetastable
        return hypothesis.evaluate(measured)
    }
}

extension Hypothesis.Clause {
    /// It speaks of the recovery itself, or of a system that has none.
    fileprivate var decidesOnRecovery: Bool {
        switch self {
        case .recovery, .metastable(true): true
        case .metric, .money, .metastable(false): false
        }
    }
}

extension MeasuredPart {
    init(_ summary: PhaseSummary) {
        self.init()
        guard summary.requests > 0 else { return }
        successPercent = summary.successRate * 100
        declinedPercent = Double(summary.declined) / Double(summary.requests) * 100
        throughputRps = summary.throughputRps
        (p50Ms, p90Ms, p95Ms) = (summary.p50Ms, summary.p90Ms, summary.p95Ms)
        (p99Ms, p999Ms, maxMs) = (summary.p99Ms, summary.p999Ms, summary.maxMs)
    }
}
