import Experiments
import Foundation

#if canImport(FoundationXML)
import FoundationXML
#endif
import Testing

@testable import Verdict

/// The names of all elements, in their order.
///
/// - Throws: when it is not well-formed.
func elements(of xml: String) throws -> [String] {
    final class Reader: NSObject, XMLParserDelegate {
        var names: [String] = []
        func parser(
            _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
            attributes: [String: String]
        ) { names.append(name) }
    }
    let reader = Reader()
    let parser = XMLParser(data: Data(xml.utf8))
    parser.delegate = reader
    guard parser.parse() else { throw NotWellFormed(description: "line \(parser.lineNumber): \(xml)") }
    return reader.names
}

struct NotWellFormed: Error, CustomStringConvertible {
    let description: String
}

@Suite struct ReportFormatTests {
    private static func cases(_ journal: Journal) -> [JUnitReport.Case] { JUnitReport.Suite(journal).cases }

    @Test func junitHasACaseForEachThingThatWasToBe() throws {
        var journal = JournalTests.journal
        journal.verdict = .deviated
        journal.expected = ExpectedFacts(clauses: [
            .init(text: "success >= 30%", outcome: .held, measured: "success 35%"),
            .init(text: "p95 <= 5s", outcome: .failed, measured: "p95 10000ms"),
        ])
        let cases = Self.cases(journal)
        #expect(
            cases.map(\.name) == [
                "dose", "hypothesis: success >= 30%", "hypothesis: p95 <= 5s", "recovery", "money",
            ])
        #expect(cases[2].outcome == .failed("measured: p95 10000ms"))
        #expect(cases.count { $0.outcome == .passed } == 4)
        let xml = JUnitReport(suites: [.init(journal), .init(notTested: "delay", reason: "<cluster> only")]).xml
        let names = try elements(of: xml)
        #expect(names.first == "testsuites" && names.count { $0 == "testsuite" } == 2)
        #expect(names.count { $0 == "testcase" } == 6 && names.count { $0 == "failure" } == 1)
        #expect(names.count { $0 == "skipped" } == 1)
        #expect(xml.contains("tests=\"6\" failures=\"1\" errors=\"0\" skipped=\"1\""))
    }

    @Test(arguments: [Verdict.aborted, .invalid])
    func whatIsNotJudgedIsAnError(verdict: Verdict) throws {
        var journal = JournalTests.journal
        journal.verdict = verdict
        let cases = Self.cases(journal)
        #expect(cases.first?.name == "run")
        if case .errored = cases.first?.outcome {} else { Issue.record("the run is no error") }
        #expect(cases.dropFirst().allSatisfy { if case .skipped = $0.outcome { true } else { false } })
        #expect(try elements(of: JUnitReport(suites: [.init(journal)]).xml).contains("error"))
    }

    @Test func aDeviationIsAlwaysAFailure() {
        var journal = JournalTests.journal
        journal.verdict = .deviated
        journal.expected = ExpectedFacts()
        journal.reasons = ["something that no case speaks of"]
        let cases = Self.cases(journal)
        #expect(cases.contains { $0.outcome == .failed("something that no case speaks of") })
    }

    @Test func csvHasOneLineASecond() {
        let lines = SeriesCSV(JournalTests.journal).text.components(separatedBy: "\r\n")
        #expect(
            lines.first == "t_s,phase,requests,ok,declined,client_errors,server_errors,timed_out,"
                + "connection_failed,dropped,p50_ms,p95_ms,p99_ms")
        #expect(lines.count == JournalTests.journal.series.count + 2 && lines.last == "")
        #expect(lines[1] == "0,warm_up,20,20,0,0,0,0,0,0,10.000,10.000,10.000")
        #expect(lines[13] == "12,,0,0,0,0,0,0,0,0,,,", "a second without requests has no latency")
    }

    @Test func markdownStaysInItsPlace() {
        var journal = JournalTests.journal
        journal.experiment = "a|b <img> `c`\n# d"
        journal.expected = ExpectedFacts()
        journal.reasons = ["[link](x) | * bold *"]
        let text = MarkdownSummary(journal).text
        #expect(text.hasPrefix("### \u{2705} a\\|b \\<img\\> \\`c\\` \\# d: held\n"))
        #expect(text.contains("- \\[link\\](x) \\| \\* bold \\*\n"))
        let table = text.split(separator: "\n").filter { $0.hasPrefix("|") }
        #expect(table.count >= 8 && table.allSatisfy { $0.filter { $0 == "|" }.count == 6 })
        #expect(text.contains("382 of 472 packets dropped"))
    }

    @Test(arguments: ReportFormat.allCases)
    func everyFormatRenders(format: ReportFormat) throws {
        let text = try format.render(JournalTests.journal)
        #expect(text.utf8.last == UInt8(ascii: "\n"))
        #expect(format.contentType.hasSuffix("charset=utf-8"))
    }
}
