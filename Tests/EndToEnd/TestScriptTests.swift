import Foundation
import Shared
import Subprocess
import SystemPackage
import Testing

/// `test-chaos.sh`, against a real lab and against the runner of a cluster.
@Suite("test-chaos.sh", .serialized, .timeLimit(.minutes(5)))
struct TestScriptTests {
    private static let script = LabProcess.repository.appendingPathComponent("test-chaos.sh").path

    /// Runs it with a kubectl that finds no cluster, whatever this machine is connected to.
    private func run(_ arguments: [String], _ addresses: [Environment.Key: String?]) async throws -> Command.Ended {
        let result = try await Subprocess.run(
            .path(FilePath(Self.script)), arguments: Arguments(arguments),
            environment: .inherit.updating(addresses).updating(["KUBECONFIG": "/nonexistent"]), input: .none,
            output: .string(limit: 1024 * 1024), error: .string(limit: 64 * 1024))
        return Command.Ended(
            status: result.terminationStatus, output: result.standardOutput, error: result.standardError)
    }

    private func addresses(of lab: LabProcess) -> [Environment.Key: String?] {
        [
            "PAYMENT_URL": lab.state.payment_url, "INVENTORY_URL": lab.state.inventory_url,
            "NOTIFICATION_URL": lab.state.notification_url, "RUNNER_URL": lab.state.runner_url,
        ]
    }

    @Test("In the lab it looks, pays, starts a fault and takes it away")
    func lab() async throws {
        try await LabProcess.withLab(["--plain"]) { lab in
            let addresses = addresses(of: lab)
            let health = try await run(["health"], addresses)
            #expect(health.status == .exited(0) && health.output.contains("  runner  plain\n"), "\(health)")
            let basic = try await run(["basic"], addresses)
            #expect(basic.status == .exited(0) && !basic.output.contains("FAILED"), "\(basic)")
            let refused = try await run(["apply", "loss"], addresses)
            #expect(refused.status == .exited(1) && refused.error.contains("--plain"), "\(refused)")
            let applied = try await run(["apply", "stress"], addresses)
            #expect(applied.status == .exited(0) && applied.output.contains("It is run RUN-"), "\(applied)")
            let load = #"{"profile": "chain", "rate": 5, "duration": "10m"}"#
            #expect(try await lab.post(lab.state.runner_url + "/api/load", load).status == 202)
            let cleanup = try await run(["cleanup"], addresses)
            #expect(cleanup.status == .exited(0), "\(cleanup)")
            #expect(cleanup.output.hasPrefix("Every run and load has ended"), "\(cleanup)")
            guard case .array(let runs) = try await lab.get(lab.state.runner_url + "/api/runs").body["runs"] else {
                Issue.record("no list of runs")
                return
            }
            #expect(runs.map { $0["state"] } == [.string("finished")])
            let ended = try await lab.get(lab.state.runner_url + "/api/load").body["state"]
            // Before its first request, as it may be, it has no numbers to finish with.
            #expect([.string("finished"), .string("failed")].contains(ended), "\(String(describing: ended))")
        }
    }

    @Test("A measurement ends with its report as text and the exit code of its verdict")
    func measures() async throws {
        try await LabProcess.withLab(["--plain"]) { lab in
            let phases: [Environment.Key: String?] = ["BASELINE": "1s", "DURATION": "2s", "RECOVERY": "1s"]
            let addresses = addresses(of: lab).merging(phases) { $1 }
            let measured = try await run(["stress"], addresses)
            #expect(measured.output.contains("Experiment ") && !measured.output.contains("<html"), "\(measured)")
            let runs = try await lab.get(lab.state.runner_url + "/api/runs").body["runs"]
            guard case .array(let all) = runs, let verdict = all.first?["verdict"]?.text else {
                Issue.record("no verdict: \(measured)")
                return
            }
            let code: Int32 = try #require(["held": 0, "deviated": 2, "aborted": 3, "invalid": 4][verdict])
            #expect(measured.status == .exited(code), "\(measured)")
            #expect(measured.output.contains("\(verdict.uppercased()) (exit code \(code))"), "\(measured)")
            let refused = try await run(["stress"], addresses.merging(["DURATION": "never"]) { $1 })
            #expect(refused.status == .exited(1) && refused.error.contains("duration: must be"), "\(refused)")
        }
    }

    @Test("In a cluster it asks the runner there")
    func cluster() async throws {
        try await ServedSystem.withOne { system in
            let addresses: [Environment.Key: String?] = [
                "PAYMENT_URL": system.paymentURL, "INVENTORY_URL": system.inventoryURL,
                "NOTIFICATION_URL": system.notificationURL, "RUNNER_URL": system.url,
            ]
            let health = try await run(["health"], addresses)
            #expect(
                health.status == .exited(0) && health.output.contains("  runner  chaos-mesh in payment-chaos\n"),
                "\(health)")
            let applied = try await run(["apply", "loss"], addresses)
            #expect(applied.status == .exited(0), "\(applied)")
            #expect(try await system.standIn.chaos().count == 1, "it waits until the fault is in force")
            let cleanup = try await run(["cleanup"], addresses)
            #expect(cleanup.status == .exited(0), "\(cleanup)")
            try await waitUntil("the object is gone", within: .seconds(30)) {
                try await system.standIn.chaos().isEmpty
            }
        }
    }

    @Test("Where nobody answers it says what to start")
    func nobody() async throws {
        let url = "http://127.0.0.1:\(try TakenPort().number)"
        for arguments in [["apply", "loss"], ["cleanup"]] {
            let ended = try await run(arguments, ["RUNNER_URL": url])
            #expect(ended.status == .exited(1) && ended.complaints.count == 1, "\(ended)")
            #expect(ended.error.contains("start the lab (make run), forward the runner's port"), "\(ended)")
        }
    }

    @Test("shellcheck has nothing to say, where it is installed")
    func shellcheck() async throws {
        let path = "/usr/bin/shellcheck"
        guard FileManager.default.isExecutableFile(atPath: path) else { return }
        let result = try await Subprocess.run(
            .path(FilePath(path)), arguments: [Self.script], input: .none, output: .string(limit: 64 * 1024))
        #expect(result.terminationStatus == .exited(0), "\(result.standardOutput)")
    }
}
