import Foundation
import Shared
import Verdict

/// The folder into which a suite writes what it found.
///
/// ```
///   suite.json    the result, run by run
///   index.html    the same for people, with links to the reports of its runs
///   summary.md    for a pull request or a build's page
///   junit.xml     for what shows test results
///   RUN-1.html    the report of one run; its journal is RUN-1.json
/// ```
struct SuiteFiles: Sendable {
    let folder: URL

    var index: URL { folder.appendingPathComponent("index.html") }

    /// - Throws: ``LabError`` when they cannot be written.
    func write(_ result: SuiteResult) throws {
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            let journals = result.entries.compactMap(\.journal)
            for journal in journals {
                try journal.json().write(to: file("\(journal.runID).json"), options: .atomic)
                try write(ReportPage(journal).html, to: "\(journal.runID).html")
            }
            let reports = Dictionary(journals.map { ($0.runID, "\($0.runID).html") }) { first, _ in first }
            try result.json().write(to: file("suite.json"), options: .atomic)
            try write(SuitePage(result, reports: reports).html, to: "index.html")
            try write(SuiteMarkdown(result).text, to: "summary.md")
            try write(result.junit, to: "junit.xml")
        } catch {
            throw LabError("cannot write to \(folder.path); choose another folder with --out")
        }
    }

    private func file(_ name: String) -> URL { folder.appendingPathComponent(name) }

    private func write(_ text: String, to name: String) throws {
        try Data(text.utf8).write(to: file(name), options: .atomic)
    }
}
