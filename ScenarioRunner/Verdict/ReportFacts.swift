import Experiments
import Foundation

/// What a journal concludes, a line each, below the table.
extension ReportTable {
    /// A label and a text; the label of a line that goes on from the one before is empty.
    static func facts(_ journal: Journal) -> [(label: String, text: String)] {
        var facts: [(label: String, text: String)] = []
        func add(_ label: String, _ texts: [String]) {
            for (index, text) in texts.enumerated() { facts.append((index == 0 ? label : "", text)) }
        }
        add("Effect", [PhaseName.fault, .recovery].compactMap { effect(journal, $0) })
        add("Replicas", journal.replicaFindings.map { "\($0.text), \(time(of: $0.phase))" })
        if let detected = journal.recovery.timeToDetectMs {
            add("Detected", ["users suffered from \(duration(Double(detected))) after the injection on"])
        }
        add("Recovery", [recovery(journal)])
        add("Backlog", [backlog(journal.recovery)].compactMap { $0 })
        if journal.phase(.recovery) != nil, journal.recovery.timeToRecoverMs == nil {
            add("Metastable", [metastable(journal.metastable)])
        }
        add("Expected", journal.expected.clauses.map { "\($0.text): \(outcome($0))" })
        return facts
    }

    /// Nil where nothing differs.
    private static func effect(_ journal: Journal, _ phase: PhaseName) -> String? {
        let effects = journal.effects.filter { $0.phase == phase && $0.differs }
        guard !effects.isEmpty else { return nil }
        return "\(time(of: phase)), with 95 % intervals: " + effects.map(text).joined(separator: "; ")
    }

    private static func time(of phase: PhaseName) -> String {
        switch phase {
        case .fault: "during the fault"
        case .recovery: "after the fault"
        case .baseline: "before the fault"
        case .warmUp: "in the warm-up"
        }
    }

    /// `p95 +1.08 s (0.89 s to 1.20 s)`.
    private static func text(_ effect: Effect) -> String {
        func value(_ value: Double) -> String {
            switch effect.metric {
            case .successRate: String(format: "%+.1f points", value * 100)
            case .throughputRps: String(format: "%+.1f/s", value)
            case .p50Ms, .p95Ms, .p99Ms: (value < 0 ? "-" : "+") + duration(abs(value))
            }
        }
        let name =
            switch effect.metric {
            case .successRate: "success"
            case .throughputRps: "throughput"
            case .p50Ms: "p50"
            case .p95Ms: "p95"
            case .p99Ms: "p99"
            }
        return "\(name) \(value(effect.difference)) (\(value(effect.low)) to \(value(effect.high)))"
    }

    /// Nil where nobody looked.
    private static func backlog(_ recovery: RecoveryFacts) -> String? {
        guard let most = recovery.backlog.map(\.total).max(), most > 0 else { return nil }
        let drained = recovery.backlogDrainedMs.map {
            "as before \(duration(Double($0))) after the fault was gone"
        }
        return "at most \(most) waiting, \(drained ?? "never seen as low as before")"
    }

    private static func metastable(_ isMetastable: Bool?) -> String {
        switch isMetastable {
        case true?: "yes: the fault is gone, the load is as before, and the system stays bad"
        case false?: "no"
        case nil: "cannot be said: watch it longer after the fault"
        }
    }

    private static func outcome(_ clause: ExpectedFacts.Clause) -> String {
        switch clause.outcome {
        case .held: "held (\(clause.measured))"
        case .failed: "FAILED (\(clause.measured))"
        case .unknown: "unknown (\(clause.measured))"
        }
    }
}
