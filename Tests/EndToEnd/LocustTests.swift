import Foundation
import HTTPTypes
import Shared
import Subprocess
import TestSupport
import Testing

/// The Locust that `make test` and `make run` install.
enum InstalledLocust {
    static let program = LabProcess.repository.appendingPathComponent(".lab/venv/bin/locust").path

    /// Continuous integration skips nothing: there its absence is a failure.
    static let isThere =
        ProcessInfo.processInfo.environment["CI"] != nil || FileManager.default.isExecutableFile(atPath: program)
}

/// Real Locust files, run by a real Locust against a real lab.
@Suite(
    "Locust", .serialized,
    .enabled(if: InstalledLocust.isThere, "Locust could not be installed here; see scripts/locust-venv.sh"))
struct LocustTests {
    @Test(
        "A shopper in the lab: started at once, from the users' host, followed, kept, and the money right",
        .enabled(if: LabProcess.namespacesWork, "this machine refuses namespaces; see scenario-runner doctor"))
    func shopper() async throws {
        try await LabProcess.withLab { lab in
            let start = try await lab.start("shopper.py?num_users=6&run_time=5s")
            #expect(start.status == 200, "\(start.body)")
            let id = try #require(start.body["run_id"]?.text)
            let run = try await lab.locustRun(id)
            #expect(run["state"] == .string("running"), "the answer did not wait for the end")
            let second = try await lab.start("chain.py")
            #expect(second.status == 409 && second.body["run_id"] == .string(id))

            try await waitUntil("its users are told of", within: .seconds(30)) {
                try await lab.locustRun(id)["live"]?["users"] == .integer(6)
            }
            // It sits where the front door does, so that its packets cross the router.
            let door = try #require(try HostProcesses.with("front-door", below: lab.pid).first)
            let locust = try #require(try HostProcesses.with("\(id).html", below: lab.pid).first)
            #expect(try HostProcesses.network(of: locust) == HostProcesses.network(of: door))
            #expect(try HostProcesses.network(of: locust) != HostProcesses.network(of: lab.pid))

            let ended = try await lab.locustEnd(id)
            #expect(ended["outcome"] == .string("passed"), "\(ended)")
            let names = ended["summary"]?["endpoints"]?.elements.map { $0["name"] } ?? []
            #expect(names.contains(.string("/payment/process")))
            let report = try await lab.client.execute(
                HTTPClientRequest(
                    url: "\(lab.state.runner_url)/scenario-runner/api/locust/runs/\(id)/report", timeout: .seconds(10),
                    maxResponseBytes: 16 * 1024 * 1024))
            #expect(report.status == 200 && String(decoding: report.body, as: UTF8.self).contains("shopper.py"))
            for ending in [".json", ".html", ".log", "_stats.csv", "_stats_history.csv", "_failures.csv"] {
                let file = lab.folder.appendingPathComponent("runs/\(id)\(ending)").path
                #expect(FileManager.default.fileExists(atPath: file), "\(ending)")
            }
            let check = try await runner(["check", "--state", lab.folder.path])
            #expect(check.code == .exited(0), "\(check.output) \(check.error)")

            // And one that is stopped long before its time keeps its report too.
            let long = try #require(try await lab.start("chain.py?num_users=3&run_time=1h").body["run_id"]?.text)
            try await waitUntil("requests are counted", within: .seconds(30)) {
                guard case .integer(let count) = try await lab.locustRun(long)["live"]?["requests"] else {
                    return false
                }
                return count > 0
            }
            _ = try await lab.post(lab.state.runner_url + "/api/locust/stop")
            let stopped = try await lab.locustEnd(long)
            #expect(stopped["outcome"] == .string("stopped"), "\(stopped)")
            #expect(
                FileManager.default.fileExists(atPath: lab.folder.appendingPathComponent("runs/\(long).html").path))
            // The lab ends in order with a Locust in it.
            #expect(try await lab.start("chain.py?run_time=1h").status == 200)
        }
    }

    @Test("The command line: its codes, a file that is broken, and kill -9 of a plain lab")
    func commandLine() async throws {
        let profiles = FileManager.default.temporaryDirectory.appendingPathComponent("profiles-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: profiles) }
        let own = LabProcess.repository.appendingPathComponent("ScenarioRunner/load-profiles/locust")
        try FileManager.default.copyItem(at: own, to: profiles)
        try Data("import no_such_module\n".utf8).write(to: profiles.appendingPathComponent("broken.py"))
        let arguments = ["--plain", "--locust-profiles", profiles.path]
        try await LabProcess.withLab(arguments, endsInOrder: false) { lab in
            let state = ["--state", lab.folder.path]
            let list = try await runner(["locust", "list"] + state)
            #expect(list.code == .exited(0), "\(list.error)")
            #expect(list.output.contains("inventory_browser.py  A visitor reads the list"), "\(list.output)")

            let quick = ["--users", "4", "--run-time", "3s"] + state
            let run = try await runner(["locust", "run", "inventory_browser", "--json"] + quick)
            #expect(run.code == .exited(0), "\(run.error)")
            let document = try JSONDecoder().decode(JSONValue.self, from: Data(run.output.utf8))
            #expect(document["outcome"] == .string("passed") && document["exit_code"] == .integer(0))

            let unknown = try await runner(["locust", "run", "../chain.py"] + state)
            #expect(unknown.code == .exited(64) && unknown.error.contains("there are broken.py, chain.py"))
            let broken = try await runner(["locust", "run", "broken.py"] + quick)
            #expect(broken.code == .exited(69) && broken.error.contains("No module named 'no_such_module'"))

            // Every answer is late: 504, which no profile calls an answer.
            _ = try await lab.post(
                lab.state.runner_url + "/api/payment-scenarios/gateway-timeout?enabled=true&probability=100&delay=1")
            let failing = try await runner(["locust", "run", "shopper"] + quick)
            #expect(failing.code == .exited(2), "\(failing.output) \(failing.error)")
            #expect(failing.output.contains("Outcome       FAILED"), "\(failing.output)")

            let id = try #require(try await lab.start("chain.py?run_time=1h").body["run_id"]?.text)
            try await waitUntil("it runs", within: .seconds(30)) { try await lab.locustRun(id)["live"] != .null }
            let locust = try #require(try HostProcesses.with("\(id).html", below: lab.pid).first)
            lab.send(SIGKILL)
            try await waitUntil("Locust has ended", within: .seconds(10)) { !ProcessLife.isAlive(locust) }
        }
    }
}

extension LabProcess {
    func start(_ file: String) async throws -> (status: Int, body: JSONValue) {
        try await post("\(state.runner_url)/api/run_locust/\(file)")
    }

    func locustRun(_ id: String) async throws -> JSONValue {
        try await get("\(state.runner_url)/api/locust/runs/\(id)").body
    }

    func locustEnd(_ id: String) async throws -> JSONValue {
        try await waitUntil("the end of \(id)", within: .seconds(40)) {
            try await locustRun(id)["state"] == .string("finished")
        }
        return try await locustRun(id)
    }
}

extension HostProcesses {
    /// Descendants of a process with this text in their command line.
    static func with(_ text: String, below ancestor: Int32) throws -> [Int32] {
        try all(below: ancestor).filter { pid in
            FileManager.default.contents(atPath: "/proc/\(pid)/cmdline").map {
                String(decoding: $0, as: UTF8.self).contains(text)
            } ?? false
        }
    }

    /// The network namespace of a process.
    static func network(of pid: Int32) throws -> String {
        try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/ns/net")
    }
}
