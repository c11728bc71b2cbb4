import Foundation
import Shared
import TestSupport
import Testing
import Verdict

@testable import ScenarioRunner

/// What the history shows of a run.
@Suite struct RunViewTests {
    private static let violation = MoneyViolation(
        rule: .oneCharge, paymentID: "PAY-1", text: "two charges", history: [])

    @Test func theBooksAreRightWrongOrUnchecked() {
        #expect(RunView.Money(MoneyCheck(checked: 3)) == .right)
        #expect(RunView.Money(.notMade) == .unchecked)
        #expect(RunView.Money(MoneyCheck(violations: [Self.violation], checked: 3)) == .wrong)
        // What was found before the books could be read no further is wrong all the same.
        #expect(RunView.Money(MoneyCheck(violations: [Self.violation], checked: 3, notChecked: "silence")) == .wrong)
    }

    @Test func aRunOfAnEarlierLifeSaysWhatItDid() throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Fixtures/journals/packet-loss-80-percent.json")
        let view = RunView(try JSONDecoder().decode(Journal.self, from: Data(contentsOf: file)))
        #expect(view.money == .right)
        #expect(view.p95Factor.map { ($0 * 10).rounded() } == 694)
    }

    @Test func theListSaysIt() async throws {
        var options = RunnerLab.Options()
        options.money = MoneyCheck(violations: [Self.violation], checked: 3)
        try await RunnerLab.serve(options) { lab, server in
            let started = try lab.manager.start(RunnerLab.request(rate: 50, fault: .milliseconds(600)))
            #expect(started.money == nil && started.p95Factor == nil, "not known yet")
            let journal = try await lab.ended(started.id).journal
            let listed = try await server.get("/api/runs").json()["runs"]?.elements.first
            #expect(listed?["money"] == .string("wrong"))
            #expect((listed?["p95_factor"] == .null) == (journal.degradation.p95 == nil))
        }
    }
}
