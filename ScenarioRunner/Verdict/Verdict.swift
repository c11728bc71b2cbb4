import Experiments

/// How a run ended.
public enum Verdict: String, Codable, Sendable, CaseIterable {
    /// The hypothesis held, the system recovered, the money is right.
    case held
    /// It did not.
    case deviated
    /// A stop condition, the kill switch or a person ended it.
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
        public var money = MoneyCheck.notMade

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
        return reasons
    }

    private static func reasonsForDeviation(_ evidence: Evidence) -> [String] {
        var reasons: [String] = []
        if evidence.recoveryTimeMs == nil { reasons.append("the system did not recover while it was watched") }
        if evidence.money.violationCount > 0 { reasons.append(evidence.money.reason) }
        return reasons
    }

    private static func reasonsForHeld(_ evidence: Evidence) -> [String] {
        ["the dose was delivered", "the system recovered", evidence.money.reason]
    }
}
