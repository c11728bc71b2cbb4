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

    @Test("In the lab it looks, pays, starts a fault and takes it away")
    func lab() async throws {
        try await LabProcess.withLab(["--plain"]) { lab in
            let addresses: [Environment.Key: String?] = [
                "PAYMENT_URL": lab.state.payment_url, "INVENTORY_URL": lab.state.inventory_url,
                "NOTIFICATION_URL": lab.state.notification_url, "RUNNER_URL": lab.state.runner_url,
            ]
            let health = try await run(["health"], addresses)
            #expect(health.status == .exited(0) && health.output.contains("  runner  plain\n"), "\(health)")
            let basic = try await run(["basic"], addresses)
            #expect(basic.status == .exited(0) && !basic.output.contains("FAILED"), "\(basic)")
            let refused = try await run(["apply", "loss"], addresses)
            #expect(refused.status == .exited(1) && refused.error.contains("--plain"), "\(refused)")
            let applied = try await run(["apply", "stress"], addresses)
            #expect(applied.status == .exited(0) && applied.output.contains("It is run RUN-"), "\(applied)")
            let cleanup = try await run(["cleanup"], addresses)
            #expect(cleanup.status == .exited(0), "\(cleanup)")
            try await waitUntil("every run has ended", within: .seconds(30)) {
                let runs = try await lab.get(lab.state.runner_url + "/api/runs").body["runs"]
                guard case .array(let all) = runs else { return false }
                return all.allSatisfy { $0["state"] == .string("finished") }
            }
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
