import Foundation
import Testing

@testable import Verdict

@Suite struct SuiteResultTests {
    private static func entry(_ verdict: Verdict, _ name: String = "loss") -> SuiteResult.Entry {
        var journal = JournalTests.journal
        journal.experiment = name
        journal.runID = "RUN-\(name)-\(verdict.rawValue)"
        journal.verdict = verdict
        return SuiteResult.Entry(journal)
    }

    private static func suite(_ verdicts: [Verdict], refused: Int = 0) -> SuiteResult {
        SuiteResult(
            name: "nightly", startedAt: 1_700_000_000,
            entries: verdicts.map { entry($0) }
                + (0..<refused).map { SuiteResult.Entry("cluster-\($0)", notTested: "only on a cluster") })
    }

    @Test func theScoreIsTheShareOfWhatWasTested() {
        #expect(Self.suite([.held, .held, .deviated, .held], refused: 3).score == 0.75)
        #expect(Self.suite([.invalid, .aborted], refused: 1).score == nil)
        let sentence = Self.suite([.held, .deviated, .invalid], refused: 2).sentence
        #expect(sentence == "50.00 % resilient: 1 of 2 tested hypotheses held, 3 of 5 experiments not tested")
    }

    @Test(arguments: [
        ([Verdict.held, .held], 0), ([.held, .deviated, .aborted], 2), ([.held, .aborted, .invalid], 3),
        ([.held, .invalid], 4), ([.invalid], 4), ([], 4),
    ])
    func theExitCodeIsTheWorst(verdicts: [Verdict], code: Int) {
        #expect(Self.suite(verdicts, refused: 1).exitCode == Int32(code))
    }

    @Test func aSuiteThatWasStoppedIsAborted() {
        let held = SuiteResult(name: "a", startedAt: 1, entries: [Self.entry(.held)], wasStopped: true)
        #expect(held.exitCode == 3)
        let deviated = SuiteResult(name: "a", startedAt: 1, entries: [Self.entry(.deviated)], wasStopped: true)
        #expect(deviated.exitCode == 2)
    }

    @Test func allReportsTellOfEveryExperiment() throws {
        let suite = Self.suite([.held, .deviated, .aborted, .invalid], refused: 1)
        let page = SuitePage(suite, reports: ["RUN-loss-held": "RUN-loss-held.html"]).html
        let texts = [
            SuiteTable.render(suite), SuiteMarkdown(suite).text, page,
            String(decoding: try suite.json(), as: UTF8.self),
        ]
        for text in texts {
            for word in ["cluster-0", "only on a cluster", "loss"] { #expect(text.contains(word), "\(word)") }
        }
        #expect(page.contains("<a href=\"RUN-loss-held.html\">"))
        #expect(texts[0].contains("NOT TESTED") && texts[0].contains("Resilience    50.00 % resilient"))
        let names = try elements(of: suite.junit)
        #expect(names.count { $0 == "testsuite" } == 5 && names.contains("skipped"))
        let json = try #require(JSONSerialization.jsonObject(with: suite.json()) as? [String: Any])
        #expect(json["exit_code"] as? Int == 2 && json["tested"] as? Int == 2 && json["score"] as? Double == 0.5)
    }
}
