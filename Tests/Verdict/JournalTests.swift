import Experiments
import Foundation
import ServiceTesting
import Shared
import Testing
import Verdict

@Suite struct JournalTests {
    static var journal: Journal {
        let samples =
            Fixtures.load(0..<12) + Fixtures.load(13..<42, ms: 1100, failures: 13) + Fixtures.load(43..<63, ms: 11)
        var journal = Journal(
            runID: "run-1", experiment: "packet-loss-80-percent", verdict: .held,
            reasons: ["the dose was delivered", "the system recovered", "the money is right"], seed: 42,
            startedAt: 1_700_000_000.25, engine: "lab", input: Fixtures.input, machine: Fixtures.machine)
        journal.fault = "drop 80 % of payment-0,1,2 -> inventory-0,1"
        journal.doctor = ["netem": DoctorFinding(status: "degraded", detail: "absent", remedy: "another kernel")]
        journal.topology = RunTopology(
            services: [.init(name: "payment-service", replicas: ["payment-0"])],
            paths: [.init(from: "client", to: "payment-service")],
            broken: [
                .init(from: "payment-0", to: "inventory-0", label: "drops 80 %"), .init(from: "payment-0", label: "x"),
            ])
        journal.phases = PhaseSummary.all(samples, Fixtures.clock, startedAt: journal.startedAt)
        journal.series = SeriesPoint.series(samples, Fixtures.clock)
        journal.degradation = Degradation(baseline: journal.phase(.baseline), fault: journal.phase(.fault))
        journal.load = LoadFacts(
            model: "open", arrivals: "constant", rateRps: 20, sent: 1200, lateSends: 1, dropped: 0,
            cpuUsPerRequest: 21.5)
        journal.effects = [
            Effect(metric: .p50Ms, phase: .fault, baseline: 10, value: 1100, low: 900, high: 1200, differs: true)
        ]
        journal.replicas = [
            ReplicaSummary(
                replica: "payment-0", service: "payment-service", phase: .fault, requests: 9, successRate: 0.5,
                p50Ms: 1,
                p95Ms: 2)
        ]
        journal.replicaFindings = [
            ReplicaFinding(
                replica: "payment-0", service: "payment-service", phase: .fault, metric: .successRate, value: 0.5,
                peers: 1, text: "fails more")
        ]
        journal.dose = Fixtures.goodDose
        journal.recovery = RecoveryFacts(
            timeToDetectMs: 1000, timeToRecoverMs: 2000, backlogDrainedMs: 2500,
            backlog: [BacklogSample(t: 3.5, pendingPayments: 2, outbox: 1)], residual: journal.effects,
            metastable: false)
        journal.expected = ExpectedFacts(clauses: [.init(text: "p50 <= 5s", outcome: .held, measured: "p50 1100ms")])
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
        bare.load = nil
        bare.recovery = RecoveryFacts()
        #expect(try Journal(json: bare.json()) == bare)
    }

    @Test func hasTheMembersOfTheContract() throws {
        var journal = Self.journal
        journal.recovery.timeToRecoverMs = nil
        let json = try #require(JSONSerialization.jsonObject(with: journal.json()) as? [String: Any])
        let members = [
            "schema_version", "run_id", "experiment", "verdict", "reasons", "seed", "started_at", "engine", "doctor",
            "phases", "series", "dose", "recovery_time_ms", "metastable", "money", "events", "input", "machine", "load",
            "effects",
            "replicas", "replica_findings", "recovery", "topology", "expected",
        ]
        for member in members { #expect(json[member] != nil, "\(member)") }
        #expect(json["schema_version"] as? Int == 2)
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
        for version in [1, 3] {
            let other = text.replacing("\"schema_version\" : 2", with: "\"schema_version\" : \(version)")
            #expect(other != text)
            #expect(throws: OtherJournalSchema(version: version)) { try Journal(json: Data(other.utf8)) }
        }
        // Told by its number, not by what an old one lacks.
        let old = Data(#"{"schema_version": 1, "run_id": "RUN-1"}"#.utf8)
        #expect(throws: OtherJournalSchema(version: 1)) { try Journal(json: old) }
        #expect("\(OtherJournalSchema(version: 1))".hasPrefix("a journal of schema 1: this program reads schema 2"))
    }

    @Test func isAsItsSchemaSays() throws {
        let schema = try JSONSchema.ofJournals()
        #expect(schema["$id"] == .string("urn:payment-chaos:journal:\(Journal.schemaVersion)"))
        #expect(try schema.problems(of: Self.journal.json()) == [])
        var bare = Journal(
            runID: "run-2", experiment: "x", verdict: .aborted, reasons: [], seed: 1, startedAt: 0, engine: "plain",
            input: Fixtures.input, machine: Fixtures.machine)
        bare.input.hypothesis = nil
        #expect(try schema.problems(of: bare.json()) == [])
        // The check sees what is wrong: a member too many or too few, a number out of its range, an unknown word.
        let text = String(decoding: try bare.json(), as: UTF8.self)
        for (good, bad) in [
            ("\"run_id\"", "\"run\""), ("\"cores\" : 2", "\"cores\" : -2"), ("aborted", "ended"),
            ("\"seed\" : 1,", "\"seed\" : 1, \"more\" : 1,"),
        ] {
            #expect(text.contains(good) && text.contains("\"checked\""))
            #expect(try schema.problems(of: Data(text.replacing(good, with: bad).utf8)) != [], "\(bad)")
        }
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
        #expect(words.contains("Effect during the fault, with 95 % intervals: p50 +1.09 s (+900.0 ms to +1.20 s)"))
        #expect(words.contains("Replicas fails more, during the fault"))
        #expect(words.contains("Detected users suffered from 1.00 s after the injection on"))
        #expect(words.contains("Backlog at most 3 waiting, as before 2.50 s after the fault was gone"))
        #expect(words.contains("Expected p50 <= 5s: held (p50 1100ms)"))
        #expect(!table.contains("Metastable"))
        #expect(words.contains("Verdict HELD (exit code 0)"))
        for reason in Self.journal.reasons { #expect(words.contains("- \(reason)")) }
        #expect(!table.contains("late sends"))
    }

    @Test(
        arguments: [(true, "Metastable yes: the fault"), (false, "Metastable no"), (nil, "Metastable cannot be said")]
            as [(Bool?, String)])
    func theTableSaysWhetherItStaysBad(isMetastable: Bool?, expected: String) {
        var journal = Self.journal
        journal.recovery = RecoveryFacts(metastable: isMetastable)
        journal.effects = []
        let words = ReportTable.render(journal).split(whereSeparator: \.isWhitespace).joined(separator: " ")
        #expect(words.contains(expected) && !words.contains("Effect ") && !words.contains("Detected"))
    }

    @Test func theTableOfARunThatNeverBeganIsATable() {
        let journal = Journal(
            runID: "run-2", experiment: "x", verdict: .aborted,
            reasons: [String(repeating: "word ", count: 60)], seed: 1, startedAt: 0, engine: "plain",
            input: Fixtures.input, machine: Fixtures.machine)
        let table = ReportTable.render(journal)
        #expect(table.contains("ABORTED"))
        #expect(table.contains("not watched"))
        #expect(table.split(separator: "\n").allSatisfy { $0.count <= 90 })
    }
}
