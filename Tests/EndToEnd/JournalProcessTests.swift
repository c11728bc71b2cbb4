import Foundation
import ServiceTesting
import Shared
import Subprocess
import Testing
import Verdict

/// The record of a run, made by real processes, one of which is killed. Without namespaces, so it runs everywhere.
@Suite(.serialized, .timeLimit(.minutes(3))) struct JournalProcessTests {
    @Test("kill -9 in mid-fault leaves a journal that says aborted, and the next lab lists it")
    func killedInMidFault() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("lab-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let run = Run()
        try await LabProcess.withLab(["--plain"], folder: folder, endsInOrder: false) { lab in
            let start = try await lab.post(
                lab.state.runner_url + "/api/runs",
                #"{"experiment": "cpu-stress-payment", "baseline": "2s", "duration": "5m", "expect": "p99 <= 1s"}"#)
            #expect(start.status == 202, "\(start.body)")
            let id = try #require(start.body["id"]?.text)
            await run.set(id)
            try await waitUntil("requests of the fault stand in the journal", within: .seconds(40)) {
                (try? Self.journal(id, in: folder))?.phase(.fault)?.requests ?? 0 > 0
            }
            lab.send(SIGKILL)
            try await waitUntil("nobody listens any more", within: .seconds(10)) { await lab.portsAreFree() }
        }
        let id = try #require(await run.id)
        let journal = try Self.journal(id, in: folder)
        #expect(journal.verdict == .aborted && journal.reasons == ["the runner ended before the run did"])
        #expect(journal.phase(.baseline)?.successRate == 1 && journal.phase(.recovery) == nil)
        #expect(journal.events.contains { $0.name == "fault_in_force" })
        #expect(journal.input.hypothesis == "p99 <= 1s" && journal.input.durationS == 300)
        #expect(journal.input.manifest.contains("kind: StressChaos"))
        #expect(journal.doctor["kernel"]?.status == "ok" && !journal.topology.broken.isEmpty)
        let file = folder.appendingPathComponent("runs/\(id).json")
        #expect(try JSONSchema.ofJournals().problems(of: Data(contentsOf: file)) == [])

        // Where the killed lab answered.
        try FileManager.default.removeItem(at: folder.appendingPathComponent("lab.json"))
        try await LabProcess.withLab(["--plain"], folder: folder) { lab in
            let runs = try await lab.get(lab.state.runner_url + "/api/runs").body["runs"]?.elements ?? []
            #expect(runs.map { $0["id"] } == [.string(id)])
            #expect(runs.first?["verdict"] == .string("aborted") && runs.first?["state"] == .string("finished"))
            let details = try await lab.get(lab.state.runner_url + "/api/runs/\(id)").body
            #expect(details["journal"]?["run_id"] == .string(id))
            let report = try await lab.client.execute(
                HTTPClientRequest(url: lab.state.runner_url + "/api/runs/\(id)/report", timeout: .seconds(10)))
            #expect(report.status == 200 && String(decoding: report.body, as: UTF8.self).contains("ABORTED"))
        }
    }

    @Test("a run says what it did to whom, and a hypothesis can be given by hand")
    func whatARunSays() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("lab-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let result = try await runner([
            "run", "cpu-stress-payment", "--plain", "--ports", "0,0,0,0", "--state", folder.path, "--json", "--rate",
            "30",
            "--baseline", "5s", "--duration", "6s", "--recovery", "6s", "--seed", "11",
            "--expect", "success >= 1%", "--expect", "max < 1ms", "--stop-when", "money wrong",
        ])
        #expect(result.code == .exited(2), "\(result.error)")
        let journal = try Journal(json: Data(result.output.utf8))
        #expect(try JSONSchema.ofJournals().problems(of: Data(result.output.utf8)) == [])
        #expect(journal.expected.clauses.map(\.outcome) == [.held, .failed])
        #expect(journal.reasons.contains { $0.hasPrefix("the hypothesis 'max < 1ms' does not hold: max ") })
        #expect(journal.input.stopConditions == ["money wrong"])
        #expect(journal.effects.count(where: { $0.phase == .fault }) == 5)
        #expect(Set(journal.replicas.map(\.replica)).isSubset(of: ["payment-0", "payment-1", "payment-2"]))
        #expect(journal.replicas.contains { $0.phase == .baseline && $0.requests > 0 })
        #expect(journal.recovery.backlog.count > 5 && journal.recovery.backlogDrainedMs != nil)
        #expect(journal.phases.allSatisfy { $0.byCause.requests == $0.requests })
    }

    @Test(
        "a wrong expectation is wrong usage, and names its clause",
        arguments: [
            (["--expect", "succes >= 99%"], "succes"), (["--expect", "success >= 99%", "--expect", "p95 < x"], "'x'"),
            (["--stop-when", "success < 10%"], "success < 10%"),
        ])
    func wrongExpectation(arguments: [String], clause: String) async throws {
        let result = try await runner(["run", "cpu-stress-payment"] + arguments)
        #expect(result.code == .exited(64) && result.error.contains(clause), "\(result.error)")
        #expect(result.output.isEmpty)
    }

    private static func journal(_ id: String, in folder: URL) throws -> Journal {
        try Journal(json: Data(contentsOf: folder.appendingPathComponent("runs/\(id).json")))
    }
}

/// A run's id that outlives the closure which learnt it.
private actor Run {
    private(set) var id: String?
    func set(_ id: String) { self.id = id }
}
