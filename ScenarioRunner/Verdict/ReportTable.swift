import Experiments
import Foundation

/// A journal as a plain table for a terminal, at most 90 columns wide.
public enum ReportTable {
    private static let width = 90
    private static let labelWidth = 14
    private static let columnWidth = 12

    /// The run in words and numbers; ends with a line break.
    public static func render(_ journal: Journal) -> String {
        var lines: [String] = []
        lines += paragraph(
            "Experiment", "\(journal.experiment) (\(journal.engine), run \(journal.runID), seed \(journal.seed))")
        if !journal.fault.isEmpty { lines += paragraph("Fault", journal.fault) }
        lines.append("")
        lines += table(journal)
        lines.append("")
        if let dose = journal.dose { lines += paragraph("Dose", dose.text) }
        for (label, text) in facts(journal) { lines += paragraph(label, text) }
        lines += paragraph(
            "Verdict", "\(journal.verdict.rawValue.uppercased()) (exit code \(journal.verdict.exitCode))")
        for reason in journal.reasons { lines += paragraph("", "- \(reason)") }
        return lines.joined(separator: "\n") + "\n"
    }

    static func recovery(_ journal: Journal) -> String {
        if let time = journal.recoveryTimeMs {
            return time == 0
                ? "0 s: the first second without the fault was good"
                : "\(duration(Double(time))) after the fault was gone"
        }
        return journal.phase(.recovery) == nil ? "not watched" : "not recovered while it was watched"
    }

    private static func table(_ journal: Journal) -> [String] {
        let phases = [PhaseName.baseline, .fault, .recovery].map(journal.phase)
        func row(_ label: String, factor: String = "", _ cell: (PhaseSummary) -> String) -> String {
            line(label, phases.map { $0.map(cell) ?? "-" } + [factor])
        }
        var rows = [
            line("", ["before", "during", "after", "factor"]),
            row("duration") { duration($0.durationS * 1000) },
            row("requests") { "\($0.requests)" },
            row("success rate") { percent($0.successRate) },
            row("throughput") { String(format: "%.1f/s", $0.throughputRps) },
            row("p50", factor: factor(journal.degradation.p50)) { duration($0.p50Ms) },
            row("p95", factor: factor(journal.degradation.p95)) { duration($0.p95Ms) },
            row("p99") { duration($0.p99Ms) },
            row("max") { duration($0.maxMs) },
        ]
        // What is nearly always 0 is shown when it is not.
        if phases.contains(where: { ($0?.declined ?? 0) > 0 }) { rows.append(row("declined") { "\($0.declined)" }) }
        if phases.contains(where: { ($0?.lateSends ?? 0) > 0 }) { rows.append(row("late sends") { "\($0.lateSends)" }) }
        if phases.contains(where: { ($0?.dropped ?? 0) > 0 }) { rows.append(row("never sent") { "\($0.dropped)" }) }
        return rows
    }

    private static func line(_ label: String, _ cells: [String]) -> String {
        let text = cells.reduce(label.padding(toLength: labelWidth, withPad: " ", startingAt: 0)) { line, cell in
            line + String(repeating: " ", count: max(1, columnWidth - cell.count)) + cell
        }
        return String(text.reversed().drop { $0 == " " }.reversed())
    }

    /// A label and a text, wrapped between words.
    private static func paragraph(_ label: String, _ text: String) -> [String] {
        var lines: [String] = []
        var current = label.padding(toLength: labelWidth, withPad: " ", startingAt: 0)
        var isFresh = true
        for word in text.split(separator: " ") {
            if !isFresh, current.count + 1 + word.count > width {
                lines.append(current)
                current = String(repeating: " ", count: labelWidth)
                isFresh = true
            }
            current += (isFresh ? "" : " ") + word
            isFresh = false
        }
        return lines + [current]
    }

    /// `99.95 %`, but `100 %` only when it is: one failure in ten thousand must show.
    public static func percent(_ share: Double) -> String {
        if share == 1 { return "100 %" }
        return String(format: "%.2f %%", min(share * 100, 99.99))
    }

    /// Milliseconds in the unit that people would choose: `0.42 ms`, `12.3 ms`, `1.25 s`.
    public static func duration(_ ms: Double) -> String {
        switch ms {
        case ..<10: String(format: "%.2f ms", ms)
        case ..<1000: String(format: "%.1f ms", ms)
        default: String(format: "%.2f s", ms / 1000)
        }
    }

    private static func factor(_ factor: Double?) -> String {
        guard let factor else { return "" }
        return factor < 10 ? String(format: "x %.1f", factor) : String(format: "x %.0f", factor)
    }
}
