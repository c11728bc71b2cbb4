import Foundation
import Shared
import Subprocess
import Synchronization
import Testing

/// How a person ends the lab or a run in the middle of a fault: with the host as before, and an exit code that tells.
@Suite(
    "Ending", .serialized, .timeLimit(.minutes(3)),
    .enabled(if: LabProcess.namespacesWork, "this machine refuses namespaces; see scenario-runner doctor"))
struct EndingTests {
    enum Ending: String, Sendable, CaseIterable {
        case ctrlC = "Ctrl-C"
        case terminated = "SIGTERM"
        case closed = "the terminal closed"
        case killed = "kill -9"
    }

    private static let options = ["--experiments", "chaos-experiments", "--ports", "0,0,0,0"]

    @Test("The lab ends clean in the middle of a fault, however it is ended")
    func lab() async throws {
        try await inParallel { ending in
            let status = try await self.end(ending, ["lab"] + Self.options) { lab in
                let body = #"{"experiment": "packet-loss-80-percent", "baseline": "1s", "duration": "60s", "rate": 5}"#
                let answer = try await lab.post(lab.state.runner_url + "/api/runs", body)
                #expect(answer.status == 202)
            }
            #expect(status == (ending == .killed ? .signaled(SIGKILL) : .exited(0)), "\(ending)")
        }
    }

    @Test("A run in a lab of its own ends clean in the middle of a fault, however it is ended")
    func run() async throws {
        try await inParallel { ending in
            let run = ["run", "packet-loss-80-percent", "--baseline", "1s", "--duration", "60s", "--rate", "5"]
            let status = try await self.end(ending, run + Self.options) { _ in }
            #expect(status == (ending == .killed ? .signaled(SIGKILL) : .exited(3)), "\(ending)")
        }
    }

    @Test("A run in somebody else's lab takes its fault with it when its terminal is closed")
    func guest() async throws {
        try await LabProcess.withLab { lab in
            let terminal = try Terminal()
            let run = ["run", "packet-loss-80-percent", "--baseline", "1s", "--duration", "60s", "--rate", "5"]
            let status = try await terminal.run(
                [LabProcess.runner] + run + ["--state", lab.folder.path], environment: .inherit
            ) { _ in
                try await waitForFault(lab)
                terminal.close()
            }
            #expect(status == .exited(3))
            let runs = try await lab.get(lab.state.runner_url + "/api/runs").body["runs"]?.elements
            #expect(runs?.first?["verdict"] == .string("aborted"))
        }
    }

    private func inParallel(_ body: @Sendable @escaping (Ending) async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for ending in Ending.allCases { group.addTask { try await body(ending) } }
            try await group.waitForAll()
        }
    }

    /// Starts the command in a terminal, waits until its fault is in force, and ends it.
    private func end(
        _ ending: Ending, _ command: [String], _ start: @Sendable @escaping (LabProcess) async throws -> Void
    ) async throws -> TerminationStatus {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("ended-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let before = try await HostState.read(marker: folder.path)
        let groups = Mutex<LabGroups?>(nil)
        let terminal = try Terminal()
        let status = try await terminal.run(
            [LabProcess.runner] + command + ["--state", folder.path],
            environment: .inherit.updating([LabProcess.markKey: folder.path])
        ) { pid in
            let client = HTTPClient()
            let result: Result<Void, any Error>
            do {
                let state = try await LabProcess.waitForState(in: folder)
                let lab = LabProcess(state: state, folder: folder, pid: pid, client: client)
                try await start(lab)
                try await waitForFault(lab)
                result = .success(())
            } catch { result = .failure(error) }
            await client.shutdown()
            try result.get()
            let found = try LabGroups.of(pid)
            groups.withLock { $0 = found }
            switch ending {
            case .ctrlC: terminal.interrupt()
            case .terminated: kill(pid, SIGTERM)
            case .closed: terminal.close()
            case .killed: kill(pid, SIGKILL)
            }
        }
        try await waitUntil("the host is as before \(ending.rawValue)", within: .seconds(20)) {
            try await HostState.read(marker: folder.path) == before
        }
        // Who ends in order takes the groups away; what a kill leaves goes with the next start.
        if ending == .killed { #expect(try await Command.runner("heal").status == .exited(0)) }
        #expect(groups.withLock { $0 }?.left == [], "\(ending)")
        return status
    }

    private func waitForFault(_ lab: LabProcess) async throws {
        try await waitUntil("the fault is in force", within: .seconds(40)) {
            let runs = try await lab.get(lab.state.runner_url + "/api/runs").body["runs"]?.elements ?? []
            return runs.first?["phase"] == .string("fault")
        }
    }
}
