import Foundation
import HTTPTypes
import Shared
import Subprocess
import SystemPackage
import Testing

@testable import ScenarioRunner

/// A real Locust master with a real worker, driven by the runner's own buttons.
@Suite(
    "Locust master", .serialized,
    .enabled(if: InstalledLocust.isThere, "Locust could not be installed here; see scripts/locust-venv.sh"))
struct LocustMasterTests {
    @Test("It is started, followed, stopped; what it does not know and what it does already are refused")
    func master() async throws {
        let ports = try FreePorts.find(2)
        let url = "http://127.0.0.1:\(ports[0])"
        try await LabProcess.withLab(["--plain"], environment: ["LOCUST_MASTER_URL": url]) { lab in
            let silent = try await lab.start("shopper.py")
            #expect(silent.status == 503 && silent.body["message"]?.text?.contains("LOCUST_MASTER_URL") == true)

            let bind = ["--master-bind-host", "127.0.0.1", "--master-bind-port", "\(ports[1])"]
            let page = ["--web-host", "127.0.0.1", "--web-port", "\(ports[0])"]
            try await withLocust(["--master", "--class-picker"] + page + bind, for: lab) {
                try await waitUntil("the master answers", within: .seconds(30)) {
                    try await lab.start("shopper.py").body["message"]?.text?.contains("has no workers") == true
                }
                let worker = ["--worker", "--master-host", "127.0.0.1", "--master-port", "\(ports[1])"]
                try await withLocust(worker, for: lab) { try await drive(url, lab) }
            }
        }
    }

    /// The runner's buttons, with a master and its worker there.
    private func drive(_ url: String, _ lab: LabProcess) async throws {
        try await waitUntil("the worker is there", within: .seconds(30)) {
            let overview = try await lab.get(lab.state.runner_url + "/api/locust")
            return overview.body["available"] == .bool(true) && overview.body["driver"] == .string("master")
        }

        let start = try await lab.start("shopper.py?num_users=4&run_time=4s")
        #expect(start.status == 200, "\(start.body)")
        #expect(start.body["message"]?.text?.hasSuffix("The master runs Shopper.") == true)
        let id = try #require(start.body["run_id"]?.text)
        #expect(try await lab.start("shopper.py").status == 409)
        let ended = try await lab.locustEnd(id)
        #expect(ended["outcome"] == .string("passed"), "\(ended)")
        #expect(ended["driver"] == .string("master") && ended["exit_code"] == .null)
        let report = lab.folder.appendingPathComponent("runs/\(id).html")
        #expect(FileManager.default.fileExists(atPath: report.path))

        let unknown = try await lab.start("chain.py?run_time=5s")
        #expect(unknown.status == 422 && unknown.body["message"]?.text?.contains("Chain") == true)

        let long = try #require(try await lab.start("shopper.py?run_time=1h").body["run_id"]?.text)
        try await waitUntil("it is busy", within: .seconds(20)) {
            try await lab.locustRun(long)["live"]?["users"] == .integer(1)
        }
        _ = try await lab.post(lab.state.runner_url + "/api/locust/stop")
        #expect(try await lab.locustEnd(long)["outcome"] == .string("stopped"))

        // Somebody else's test is left alone.
        try await swarm(url, lab)
        try await waitUntil("it runs", within: .seconds(20)) {
            try await lab.get(url + "/stats/requests").body["state"] == .string("running")
        }
        let conflict = try await lab.start("shopper.py")
        #expect(conflict.status == 409)
        #expect(conflict.body["message"]?.text?.contains("runs a test already") == true)
    }

    /// What a person does on the master's page.
    private func swarm(_ url: String, _ lab: LabProcess) async throws {
        let answer = try await lab.client.execute(
            HTTPClientRequest(
                method: .post, url: url + "/swarm", headers: [.contentType: "application/x-www-form-urlencoded"],
                body: Data("user_count=1&spawn_rate=1&run_time=1h".utf8), timeout: .seconds(10)))
        #expect(answer.status == 200)
    }
}

/// Runs `body` beside a Locust that is no child of the runner.
private func withLocust(
    _ arguments: [String], for lab: LabProcess, _ body: @Sendable () async throws -> Void
) async throws {
    let profile = LabProcess.repository.appendingPathComponent("ScenarioRunner/load-profiles/locust/shopper.py")
    let end = [TeardownStep.gracefulShutDown(allowedDurationToNextStep: .seconds(5))]
    var options = PlatformOptions()
    options.teardownSequence = end
    _ = try await Subprocess.run(
        .path(FilePath(InstalledLocust.program)), arguments: Arguments(["--locustfile", profile.path] + arguments),
        environment: .inherit.updating([
            "PAYMENT_URL": lab.state.payment_url, "PYTHONDONTWRITEBYTECODE": "1",
        ]),
        workingDirectory: FilePath(lab.folder.path), platformOptions: options, input: .none, output: .discarded,
        error: .discarded
    ) { execution in
        try await body()
        await execution.teardown(using: end)
    }
}
