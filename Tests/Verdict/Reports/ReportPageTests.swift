import Crypto
import Experiments
import Foundation
import Testing

@testable import Verdict

/// The page as text; `Tests/Browser` looks at it as a browser does.
@Suite struct ReportPageTests {
    @Test func saysWhatTheJournalSays() {
        let html = ReportPage(JournalTests.journal).html
        for text in [
            "packet-loss-80-percent", "drop 80 % of payment-0,1,2", "the dose was delivered",
            "382 of 472 packets dropped",
            "35.00 %", "80.9 %", "2 s after the fault was gone", "payments were compared", "seed 42",
            "2023-11-14 22:13:20 UTC",
        ] {
            #expect(html.contains(Markup.escaped(text)), "\(text)")
        }
        for id in ["requests", "success", "latency"] { #expect(html.contains("data-chart=\"\(id)\""), "\(id)") }
        #expect(html == ReportPage(JournalTests.journal).html, "it is a function of the journal")
    }

    @Test func asksNothingOfAnyNetwork() throws {
        let html = ReportPage(JournalTests.journal).html
        for address in [
            "http://", "https://", "//cdn", "url(", "@import", "<link", "<img", "<iframe", " style=\"", " onclick",
        ] {
            let found = html.replacingOccurrences(of: "http://www.w3.org/2000/svg", with: "")
            #expect(!found.contains(address), "\(address)")
        }
        let policy = try #require(html.firstMatch(of: #/Content-Security-Policy" content="([^"]+)"/#)?.1)
        #expect(policy.hasPrefix("default-src 'none';") && !policy.contains("unsafe"))
        let style = try #require(html.firstMatch(of: #/<style>([\s\S]*?)<\/style>/#)?.1)
        let script = try #require(html.firstMatch(of: #/<script>([\s\S]*?)<\/script>/#)?.1)
        for text in [style, script] {
            let hash = Data(SHA256.hash(data: Data(text.utf8))).base64EncodedString()
            #expect(policy.contains("'sha256-\(hash)'"))
        }
    }

    @Test func whatWasMeasuredCannotBecomeMarkup() throws {
        let evil = "</script><script>alert(1)</script><svg onload=alert(2)>\"'&\u{0}"
        var journal = JournalTests.journal
        journal.experiment = evil
        journal.runID = evil
        journal.fault = evil
        journal.engine = evil
        journal.reasons = [evil]
        journal.events = [.init(t: 12.5, name: evil, detail: evil)]
        journal.money = MoneyCheck(violations: [MoneyViolation(rule: .oneCharge, text: evil, history: [evil])])
        journal.input.manifest = evil
        journal.input.hypothesis = evil
        journal.doctor = [evil: DoctorFinding(status: evil, detail: evil, remedy: evil)]
        journal.topology = RunTopology(
            services: [.init(name: evil, replicas: [evil])], paths: [.init(from: "client", to: evil)],
            broken: [.init(from: evil, label: evil), .init(from: "client", to: evil, label: evil)])
        journal.expected = ExpectedFacts(clauses: [.init(text: evil, outcome: .failed, measured: evil)])
        let html = ReportPage(journal).html
        #expect(html.components(separatedBy: "<script>").count == 2, "the page's own")
        #expect(!html.contains("<svg onload") && !html.contains("\u{0}"))
        let xml = JUnitReport(suites: [.init(journal)]).xml
        #expect(try elements(of: xml).contains("testcase"))
    }

    @Test(arguments: Verdict.allCases)
    func aRunThatNeverBeganIsAPage(verdict: Verdict) {
        var journal = JournalTests.journal
        journal.verdict = verdict
        journal.phases = []
        journal.series = []
        journal.events = []
        journal.dose = nil
        journal.effects = []
        journal.recovery = RecoveryFacts()
        let html = ReportPage(journal).html
        #expect(html.contains(verdict.rawValue) && html.contains("</html>") && !html.contains("data-chart"))
    }

    @Test func violationsStandThereWithTheirHistory() {
        var journal = JournalTests.journal
        journal.money = MoneyCheck(
            violations: [MoneyViolation(rule: .oneCharge, paymentID: "PAY-1", text: "two", history: ["charge CH-1"])])
        let html = ReportPage(journal).html
        #expect(html.contains("PAY-1: two") && html.contains("charge CH-1") && html.contains("1 violations"))
    }
}
