import Experiments
import Foundation
import Testing
import Verdict

@Suite struct JournalTests {
    static var journal: Journal {
        let samples =
            Fixtures.load(0..<12) + Fixtures.load(13..<42, ms: 1100, failures: 13) + Fixtures.load(43..<63, ms: 11)
        var journal = Journal(
            runID: "run-1", experiment: "packet-loss-80-percent", verdict: .held,
            reasons: ["the dose was delivered", "the system recovered", "the money is right"], seed: 42,
            startedAt: 1_700_000_000.25, engine: "lab")
        journal.fault = "drop 80 % of payment-0,1,2 -> inventory-0,1"
        journal.doctor = ["netem": "absent"]
        journal.phases = PhaseSummary.all(samples, Fixtures.clock, startedAt: journal.startedAt)
        journal.series = SeriesPoint.series(samples, Fixtures.clock)
        journal.degradation = Degradation(baseline: journal.phase(.baseline), fault: journal.phase(.fault))
        journal.dose = Fixtures.goodDose
        journal.recoveryTimeMs = 2000
        journal.money = MoneyCheck(checked: 900)
        journal.events = [.init(t: 12.5, name: "fault_injected", detail: "verified")]
        return journal
    }

    @Test func survivesARoundTrip() throws {
        let journal = Self.journal
        #expect(try Journal(json: journal.json()) == journal)
        #expect(try journal.json() == journal.json())
        var bare = journal
        bare.dose = nil
        bare.recoveryTimeMs = nil
        #expect(try Journal(json: bare.json()) == bare)
    }

    @Test func hasTheMembersOfTheContract() throws {
        var journal = Self.journal
        journal.recoveryTimeMs = nil
        let json = try #require(JSONSerialization.jsonObject(with: journal.json()) as? [String: Any])
        let members = [
            "schema_version", "run_id", "experiment", "verdict", "reasons", "seed", "started_at", "engine", "doctor",
            "phases", "series", "dose", "recovery_time_ms", "metastable", "money", "events",
        ]
        for member in members { #expect(json[member] != nil, "\(member)") }
        #expect(json["schema_version"] as? Int == 1)
        #expect(json["recovery_time_ms"] is NSNull)
        let phase = try #require((json["phases"] as? [[String: Any]])?.first)
        let phaseMembers = [
            "name", "started_at", "duration_s", "requests", "success_rate", "declined", "throughput_rps", "p50_ms",
            "p90_ms", "p95_ms", "p99_ms", "p999_ms", "max_ms", "late_sends",
        ]
        for member in phaseMembers { #expect(phase[member] != nil, "\(member)") }
        let dose = try #require(json["dose"] as? [String: Any])
        for member in ["kind", "asked", "delivered", "low", "high", "unit", "effective"] {
            #expect(dose[member] != nil, "\(member)")
        }
        #expect((json["money"] as? [String: Any])?["checked"] as? Int == 900)
        #expect((json["series"] as? [[String: Any]])?.first?["p95_ms"] as? Double == 10)
    }

    @Test func refusesAnotherSchema() throws {
        let text = String(decoding: try Self.journal.json(), as: UTF8.self)
        let future = text.replacing("\"schema_version\" : 1", with: "\"schema_version\" : 2")
        #expect(future != text)
        #expect(throws: DecodingError.self) { try Journal(json: Data(future.utf8)) }
    }

    @Test func theTableSaysItAll() throws {
        let table = ReportTable.render(Self.journal)
        let lines = table.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.allSatisfy { $0.count <= 90 && !$0.hasSuffix(" ") })
        func cells(_ label: String) throws -> [Substring] {
            try #require(lines.first { $0.hasPrefix(label) }).dropFirst(label.count).split(separator: " ")
        }
        #expect(try cells("requests") == ["200", "580", "400"])
        #expect(try cells("success rate") == ["100", "%", "35.00", "%", "100", "%"])
        #expect(try cells("p50") == ["10.0", "ms", "10.00", "s", "11.0", "ms", "x", "1000"])
        #expect(table.contains("drop 80 % of payment-0,1,2 -> inventory-0,1"))
        let words = table.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        #expect(words.contains("asked 80 % of packets, delivered 80.9 % (95 % interval 77.1 to 84.2 %)"))
        #expect(words.contains("382 of 472 packets dropped"))
        #expect(words.contains("Recovery 2.00 s after the fault was gone"))
        #expect(words.contains("Verdict HELD (exit code 0)"))
        for reason in Self.journal.reasons { #expect(words.contains("- \(reason)")) }
        #expect(!table.contains("late sends"))
    }

    @Test func theTableOfARunThatNeverBeganIsATable() {
        let journal = Journal(
            runID: "run-2", experiment: "x", verdict: .aborted,
            reasons: [String(repeating: "word ", count: 60)], seed: 1, startedAt: 0, engine: "plain")
        let table = ReportTable.render(journal)
        #expect(table.contains("ABORTED"))
        #expect(table.contains("not watched"))
        #expect(table.split(separator: "\n").allSatisfy { $0.count <= 90 })
    }
}
