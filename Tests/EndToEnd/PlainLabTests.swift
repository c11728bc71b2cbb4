import Foundation
import Shared
import Subprocess
import TestSupport
import Testing

/// The lab without namespaces: plain processes on loopback, for machines that refuse more.
@Suite("Plain lab", .serialized)
struct PlainLabTests {
    @Test("Payments go through the front door, network faults are refused with the reason, stress runs")
    func plain() async throws {
        try await withStateFolder { folder in
            let home = URL(fileURLWithPath: folder)
            try await LabProcess.withLab(["--plain"], folder: home) { lab in
                let payment = try await lab.post(
                    lab.state.payment_url + "/payment/process",
                    #"{"amount": 100, "currency": "USD", "product_id": "1"}"#)
                #expect(payment.status == 200 && payment.body["status"] == .string("success"))
                try await explains(try #require(payment.body["payment_id"]?.text), in: folder)
                let chain = try await lab.post(lab.state.payment_url + "/payment/chain")
                #expect(chain.status == 200 && chain.body["overall_status"] == .string("success"))

                let refused = try await lab.post(
                    lab.state.runner_url + "/api/runs", #"{"experiment": "packet-loss-80-percent"}"#)
                #expect(refused.status == 422 && refused.body["field"] == .string("kind"))
                let reason = try #require(refused.body["detail"]?.text)
                #expect(reason.contains("02-packet-loss-80-percent.yaml:") && reason.contains("--plain"))
                let command = try await Command.runner("run", "packet-loss-80-percent", "--state", folder)
                #expect(command.status == .exited(64) && command.error == "scenario-runner: \(reason)\n")

                try await refusesWhatWouldSayNothing(in: folder)

                let second = try await Command.runner(
                    "lab", "--plain", "--state", folder, "--ports", "0,0,0,0")
                #expect(second.status == .exited(69) && second.complaints.count == 1)
                #expect(second.error.contains("a lab already runs in \(folder)"))

                let stress = try await Command.runner(
                    "run", "cpu-stress-payment", "--baseline", "2s", "--duration", "6s", "--recovery", "4s", "--json",
                    "--state", folder, "--out", "\(folder)/out")
                #expect([.exited(0), .exited(2)].contains(stress.status), "\(stress.error)")
                let journal = try JSONDecoder().decode(JournalView.self, from: Data(stress.output.utf8))
                #expect(journal.dose?.unit == "cores" && journal.dose?.effective == true)
                let written = try FileManager.default.contentsOfDirectory(atPath: "\(folder)/out")
                #expect(written.map { URL(fileURLWithPath: $0).pathExtension }.sorted() == ["html", "json"])
            }
            #expect(!FileManager.default.fileExists(atPath: "\(folder)/lab.json"))
        }
    }

    /// The lab runs: it is no other for what a command would like it to be, nor are its experiments.
    private func refusesWhatWouldSayNothing(in folder: String) async throws {
        for arguments in [
            ["run", "cpu-stress-payment", "--allow-total"], ["plan", "cpu-stress-payment", "--no-limits"],
            ["load", "chain", "--experiments", "chaos-experiments"],
        ] {
            let ended = try await Command.runner.run(arguments + ["--state", folder])
            #expect(ended.status == .exited(64) && ended.complaints.count == 1, "\(ended.error)")
            #expect(ended.error.contains("\(arguments[2]) would shape a lab") && ended.error.contains("--state"))
        }
        let edited = URL(fileURLWithPath: folder).appendingPathComponent("edited")
        try FileManager.default.createDirectory(at: edited, withIntermediateDirectories: true)
        let name = "chaos-experiments/05-stress-chaos.yaml"
        let text = try String(contentsOf: LabProcess.repository.appendingPathComponent(name), encoding: .utf8)
        try Data(text.replacing("load: 80", with: "load: 70").utf8).write(to: edited.appendingPathComponent("a.yaml"))
        let suite = try await Command.runner("suite", edited.path, "--state", folder)
        #expect(suite.status == .exited(64) && suite.complaints.count == 1, "\(suite.error)")
        #expect(suite.error.contains("cpu-stress-payment"), "\(suite.error)")
    }

    /// A payment that just succeeded tells its life from the first status to its delivery.
    private func explains(_ id: String, in folder: String) async throws {
        let text = try await Command.runner("explain", id, "--state", folder)
        #expect(text.status == .exited(0) && text.error.isEmpty, "\(text.error)")
        let lines = text.output.split(separator: "\n").map { $0.split(separator: " ") }
        #expect(text.output.hasPrefix("\(id): completed, 100.00 USD, 0.00 refunded\n"), "\(text.output)")
        #expect(
            lines[1].starts(with: ["+0.000", "s"]) && lines[1].suffix(2) == ["status", "pending"], "\(text.output)")
        for hop in ["inventory", "gateway", "confirm", "notification"] {
            #expect(lines.contains { $0.count > 3 && $0[3] == hop }, "\(text.output)")
        }
        #expect(lines.last?.suffix(5) == ["approved,", "100.00", "USD,", "0.00", "refunded"], "\(text.output)")

        let json = try await Command.runner("explain", id, "--json", "--state", folder)
        let story = try JSONDecoder().decode(JSONValue.self, from: Data(json.output.utf8))
        #expect(story["payment_id"] == .string(id) && story["events"]?.elements.count ?? 0 >= 6)
        #expect(story["charges"]?.elements.count == 1)

        let unknown = try await Command.runner("explain", "PAY-unknown", "--state", folder)
        #expect(unknown.status == .exited(64) && unknown.output.isEmpty)
        #expect(unknown.error == "scenario-runner: There is no payment PAY-unknown.\n")
    }

    @Test("SIGTERM ends every process", .timeLimit(.minutes(2)))
    func terminated() async throws {
        let processes = Processes()
        try await LabProcess.withLab(["--plain"]) { lab in
            await processes.set(try HostProcesses.all(below: lab.pid))
            #expect(await processes.ids.count == 7)
        }
        for pid in await processes.ids { #expect(!ProcessLife.isAlive(pid)) }
    }
}

/// Process ids that outlive the closure which learnt them.
private actor Processes {
    private(set) var ids: [Int32] = []
    func set(_ ids: [Int32]) { self.ids = ids }
}
