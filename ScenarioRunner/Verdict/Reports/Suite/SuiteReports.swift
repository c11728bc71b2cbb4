import Foundation

/// A suite as a plain table for a terminal.
public enum SuiteTable {
    private static let numberWidths = [12, 12, 12]

    /// Ends with a line break.
    public static func render(_ result: SuiteResult) -> String {
        let width = max(12, (result.entries.map(\.experiment.count).max() ?? 0) + 2)
        func line(_ name: String, _ outcome: String, _ numbers: [String]) -> String {
            let cells = zip(numbers, numberWidths).map { cell, width in
                String(repeating: " ", count: max(1, width - cell.count)) + cell
            }
            return name.padding(toLength: width, withPad: " ", startingAt: 0)
                + outcome.padding(toLength: 11, withPad: " ", startingAt: 0) + cells.joined()
        }
        var lines = [line("", "", ["success", "p95", "recovery"])]
        for entry in result.entries {
            lines.append(line(entry.experiment, entry.outcome.uppercased(), SuiteNumbers(entry).all))
            if !entry.isTested || entry.journal?.verdict == .deviated {
                lines += (entry.journal?.reasons ?? [entry.notTested ?? ""]).map { "  - \($0)" }
            }
        }
        lines += ["", "Resilience    \(result.sentence) (exit code \(result.exitCode))"]
        return lines.joined(separator: "\n") + "\n"
    }
}

/// What users met during the fault, in a suite's tables.
struct SuiteNumbers: Sendable {
    let success: String
    let p95: String
    let recovery: String

    var all: [String] { [success, p95, recovery] }

    init(_ entry: SuiteResult.Entry) {
        let fault = entry.measured(.fault)
        success = fault.map { NumberText.percent($0.successRate) } ?? "-"
        p95 = fault.map { NumberText.latency($0.p95Ms) } ?? "-"
        if let journal = entry.journal, journal.phase(.recovery) != nil {
            recovery = journal.recoveryTimeMs.map { NumberText.span(Double($0) / 1000) } ?? "none"
        } else {
            recovery = "-"
        }
    }
}

/// A suite as Markdown: the score, one line a run, and why what did not hold did not.
public struct SuiteMarkdown: Sendable {
    private let result: SuiteResult

    public init(_ result: SuiteResult) { self.result = result }

    public var text: String {
        let title = "## \(MarkdownSummary.escaped(result.name)): \(MarkdownSummary.escaped(result.sentence))"
        let rows = result.entries.map { entry in
            let symbol = entry.journal?.verdict.symbol ?? "\u{26AA}"
            return MarkdownSummary.row(
                [MarkdownSummary.escaped(entry.experiment), "\(symbol) \(entry.outcome)"] + SuiteNumbers(entry).all
                    + [MarkdownSummary.escaped(entry.reason)])
        }
        let head = [
            MarkdownSummary.row(["experiment", "verdict", "success", "p95", "recovery", "why"]),
            "|---|---|--:|--:|--:|---|",
        ]
        return "\(title)\n\n" + (head + rows).joined(separator: "\n") + "\n"
    }
}

/// A suite as one offline HTML file, with links to the reports of its runs.
public struct SuitePage: Sendable {
    private let result: SuiteResult
    private let reports: [String: String]

    /// - Parameter reports: by run id, where its report lies, relative to this file.
    public init(_ result: SuiteResult, reports: [String: String]) {
        self.result = result
        self.reports = reports
    }

    public var html: String { OfflinePage(title: result.name, body: body).html }

    private var verdict: Verdict {
        Verdict.allCases.first { $0.exitCode == result.exitCode } ?? .invalid
    }

    private var body: Markup {
        let rows: [Markup] = result.entries.map(row)
        return """
            <main>
            <header class="panel hero" data-verdict="\(verdict.rawValue)">
            \(Parts.badge(verdict))
            <h1>\(result.name)</h1>
            <p class="lead">\(result.sentence)</p>
            <p class="meta soft"><span>\(NumberText.time(result.startedAt))</span></p>
            </header>
            <dl class="tiles">\(tile("Resilience", result.score.map(NumberText.percent) ?? "unknown", "of what was tested"))\
            \(tile("Held", "\(result.count(.held))", "of \(result.entries.count) experiments"))\
            \(tile("Deviated", "\(result.count(.deviated))", "did not do what was expected"))\
            \(tile("Not tested", "\(result.entries.count - result.tested)", "refused, invalid or aborted"))</dl>
            <section class="panel" aria-labelledby="runs-head"><h2 id="runs-head">Run by run</h2>
            <div class="wide" tabindex="0" role="region" aria-label="Run by run"><table><thead><tr>\
            <th scope="col">experiment</th><th scope="col">success during</th><th scope="col">p95 during</th>\
            <th scope="col">recovery</th><th scope="col">verdict</th></tr></thead><tbody>\(rows)</tbody></table></div>
            </section>
            \(reasons)
            </main>
            """
    }

    private func tile(_ name: String, _ number: String, _ detail: String) -> Markup {
        """
        <div class="tile"><dt>\(name)</dt><dd><span class="number">\(number)</span><span class="soft">\(detail)</span>\
        </dd></div>
        """
    }

    private func row(_ entry: SuiteResult.Entry) -> Markup {
        let numbers: [Markup] = SuiteNumbers(entry).all.map { "<td>\($0)</td>" }
        let name: Markup =
            entry.journal.flatMap { reports[$0.runID] }.map { "<a href=\"\($0)\">\(entry.experiment)</a>" }
            ?? "\(entry.experiment)"
        let badge: Markup =
            entry.journal.map { Parts.badge($0.verdict, small: true) }
            ?? "<span class=\"badge small plain\" data-verdict=\"not_tested\">not tested</span>"
        return "<tr><th scope=\"row\">\(name)</th>\(numbers)<td>\(badge)</td></tr>"
    }

    /// Of all that did not simply hold.
    private var reasons: Markup? {
        let entries = result.entries.filter { $0.journal?.verdict != .held }
        guard !entries.isEmpty else { return nil }
        let parts: [Markup] = entries.map { entry in
            let reasons: [Markup] = (entry.journal?.reasons ?? [entry.notTested ?? ""]).map { "<li>\($0)</li>" }
            let verdict = entry.journal?.verdict.rawValue ?? "not_tested"
            return "<h3>\(entry.experiment)</h3><ul class=\"reasons\" data-verdict=\"\(verdict)\">\(reasons)</ul>"
        }
        return Parts.panel("reasons", "What did not hold, and what was not tested", "\(parts)")
    }
}
