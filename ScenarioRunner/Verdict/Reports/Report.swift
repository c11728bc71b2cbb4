import Foundation

/// A journal in one of the forms that people and their tools read.
public enum ReportFormat: String, Sendable, CaseIterable {
    /// One offline file with charts.
    case html
    /// A summary for a pull request or a build's page.
    case md
    /// JUnit's XML, for what shows test results.
    case junit
    /// The seconds of the run, one a line.
    case csv
    /// A table for a terminal.
    case text
    /// The journal itself.
    case json

    public var contentType: String {
        switch self {
        case .html: "text/html; charset=utf-8"
        case .md: "text/markdown; charset=utf-8"
        case .junit: "application/xml; charset=utf-8"
        case .csv: "text/csv; charset=utf-8"
        case .text: "text/plain; charset=utf-8"
        case .json: "application/json; charset=utf-8"
        }
    }

    /// - Throws: `EncodingError` for a journal that JSON cannot hold.
    public func render(_ journal: Journal) throws -> String {
        switch self {
        case .html: ReportPage(journal).html
        case .md: MarkdownSummary(journal).text
        case .junit: JUnitReport(suites: [.init(journal)]).xml
        case .csv: SeriesCSV(journal).text
        case .text: ReportTable.render(journal)
        case .json: String(decoding: try journal.json(), as: UTF8.self)
        }
    }
}
