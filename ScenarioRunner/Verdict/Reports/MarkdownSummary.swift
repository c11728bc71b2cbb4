import Experiments

/// A run as Markdown (GitHub's, with tables): the verdict, its reasons, and before, during and after.
struct MarkdownSummary: Sendable {
    private let journal: Journal

    init(_ journal: Journal) { self.journal = journal }

    var text: String {
        ([head, reasons, table, clauses, facts].filter { !$0.isEmpty }.joined(separator: "\n\n")) + "\n"
    }

    private var head: String {
        let title = "### \(journal.verdict.symbol) \(Self.escaped(journal.experiment)): \(journal.verdict.rawValue)"
        return journal.fault.isEmpty ? title : "\(title)\n\n\(Self.escaped(journal.fault))"
    }

    private var reasons: String { journal.reasons.map { "- \(Self.escaped($0))" }.joined(separator: "\n") }

    private var table: String {
        let phases = [PhaseName.baseline, .fault, .recovery].map(journal.phase)
        guard phases.contains(where: { $0 != nil }) else { return "" }
        func row(_ name: String, _ metric: Effect.Metric? = nil, _ cell: (PhaseSummary) -> String) -> String {
            let cells = phases.map { $0.map(cell) ?? "\u{2013}" }
            return Self.row([name] + cells + [effect(metric)])
        }
        return [
            Self.row(["", "before", "during", "after", "during less before (95 %)"]), "|---|--:|--:|--:|--:|",
            row("requests") { NumberText.count($0.requests) },
            row("success", .successRate) { NumberText.percent($0.successRate) },
            row("throughput", .throughputRps) { "\(NumberText.short(($0.throughputRps * 10).rounded() / 10))/s" },
            row("p50", .p50Ms) { NumberText.latency($0.p50Ms) },
            row("p95", .p95Ms) { NumberText.latency($0.p95Ms) },
            row("p99", .p99Ms) { NumberText.latency($0.p99Ms) },
        ].joined(separator: "\n")
    }

    private func effect(_ metric: Effect.Metric?) -> String {
        guard let effect = journal.effects.first(where: { $0.metric == metric && $0.phase == .fault }) else {
            return ""
        }
        let text = EffectText(effect)
        return effect.differs ? "**\(text.difference)** (\(text.interval))" : "no difference"
    }

    private var clauses: String {
        guard !journal.expected.clauses.isEmpty else { return "" }
        return
            ([Self.row(["expected", "measured", "outcome"]), "|---|---|---|"]
            + journal.expected.clauses.map {
                Self.row(["`\($0.text)`", Self.escaped($0.measured), $0.outcome.words])
            }).joined(separator: "\n")
    }

    private var facts: String {
        let dose = journal.dose.map { "**Dose**: \(Self.escaped($0.text))" } ?? "**Dose**: nothing is known of it"
        let recovery = "**Recovery**: \(RecoveryText(journal).text)"
        let money = "**Money**: \(Self.escaped(journal.money.reason))"
        let run = "Run `\(journal.runID)`, engine \(Self.escaped(journal.engine)), seed \(journal.seed)"
        return [dose, recovery, money, run].joined(separator: "  \n")
    }

    static func row(_ cells: [String]) -> String { "| " + cells.joined(separator: " | ") + " |" }

    /// Text as text: what Markdown or HTML would read in it stands behind a backslash, and a line is one line.
    static func escaped(_ text: String) -> String {
        var result = ""
        for character in text {
            if character.isNewline {
                result += " "
            } else {
                if "\\`*_{}[]<>#|~&!".contains(character) { result += "\\" }
                result.append(character)
            }
        }
        return result
    }
}

extension Verdict {
    /// For Markdown, which has no colour.
    var symbol: String {
        switch self {
        case .held: "\u{2705}"
        case .deviated: "\u{274C}"
        case .aborted: "\u{1F6D1}"
        case .invalid: "\u{2754}"
        }
    }
}

/// How the system came back, in half a sentence.
struct RecoveryText: Sendable {
    let text: String

    init(_ journal: Journal) {
        if let time = journal.recoveryTimeMs {
            text =
                time == 0
                ? "the first second without the fault was good"
                : "\(NumberText.span(Double(time) / 1000)) after the fault was gone"
        } else if journal.phase(.recovery) == nil {
            text = "not watched"
        } else {
            text = journal.metastable == true ? "none: the system is metastable" : "not recovered while it was watched"
        }
    }
}
