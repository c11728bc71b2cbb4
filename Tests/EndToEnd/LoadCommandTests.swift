import Foundation
import Shared
import Subprocess
import SystemPackage
import Testing

/// `scenario-runner load` as people type it, with a real lab and real services.
@Suite("Load command", .serialized)
struct LoadCommandTests {
    private struct Summary: Decodable {
        struct Finding: Decodable {
            let threshold: String
            let held: Bool
        }

        let name: String
        let requests: Int
        let success_rate: Double
        let stopped: Bool
        let by_status: [String: Int]
        let thresholds: [Finding]
        let cpu_us_per_request: Double
    }

    private func summary(_ text: String) throws -> Summary {
        try JSONDecoder().decode(Summary.self, from: Data(text.utf8))
    }

    private func withFolder(_ body: @Sendable @escaping (URL, LabProcess) async throws -> Void) async throws {
        try await withStateFolder { path in
            let folder = URL(fileURLWithPath: path)
            try await LabProcess.withLab(["--plain", "--no-limits"], folder: folder) { try await body(folder, $0) }
        }
    }

    @Test("Every shipped profile runs through the lab, and from this host; thresholds decide the exit code")
    func profiles() async throws {
        try await withFolder { folder, lab in
            for profile in ["checkout", "chain", "browse", "status-poll", "refund"] {
                let ended = try await Command.runner(
                    "load", profile, "--rate", "20", "--duration", "1s", "--json", "--seed", "3", "--state",
                    folder.path)
                // How quick the machine is decides the other thresholds.
                #expect([.exited(0), .exited(2)].contains(ended.status), "\(profile): \(ended.error)\(ended.output)")
                let summary = try summary(ended.output)
                #expect(summary.name == profile && summary.requests == 20 && summary.success_rate == 1)
                #expect(summary.thresholds.first?.held == true && summary.cpu_us_per_request > 0)
            }
            let csv = folder.appendingPathComponent("load.csv")
            let table = try await Command.runner(
                "load", "checkout", "--rate", "50", "--duration", "2s", "--arrivals", "poisson", "--csv", csv.path,
                "--base-url", lab.state.payment_url)
            #expect([.exited(0), .exited(2)].contains(table.status) && table.error.isEmpty, "\(table.error)")
            #expect(table.output.hasPrefix("Load          checkout (open, poisson arrivals, seed "), "\(table.output)")
            #expect(table.output.contains("held          success >= 99%"), "\(table.output)")
            let rows = try String(contentsOf: csv, encoding: .utf8).split(separator: "\n")
            #expect(rows.count == 3 && rows[0].hasPrefix("second,requests,ok,"))

            let strict = folder.appendingPathComponent("strict.yaml")
            try Data("name: strict\nrequests: [{name: a, path: /health}]\nthresholds: [\"max < 1us\"]\n".utf8)
                .write(to: strict)
            let failed = try await Command.runner(
                "load", strict.path, "--duration", "1s", "--json", "--base-url", lab.state.payment_url)
            #expect(failed.status == .exited(2) && failed.error.isEmpty)
            #expect(try summary(failed.output).thresholds.map(\.held) == [false])
        }
    }

    @Test("Wrong usage is 64, nobody there is 69, each in one line")
    func refusals() async throws {
        let url = "http://127.0.0.1:\(try FreePort.refused())"
        let cases: [([String], Int32, String)] = [
            (["load", "nothing"], 64, "there is no profile nothing in ScenarioRunner/load-profiles"),
            (["load", "checkout", "--model", "half"], 64, "--model is open or closed"),
            (["load", "checkout", "--rate", "0", "--base-url", url], 64, "the rate must be from 0.1"),
            (["load", "checkout", "--base-url", "here"], 64, "--base-url must be like"),
            (["load", "/none.yaml"], 64, "/none.yaml:1: : cannot be read"),
            (["load", "checkout", "--base-url", url], 69, "nothing answers at \(url)"),
        ]
        for (arguments, code, text) in cases {
            let ended = try await Command.runner.run(arguments)
            #expect(ended.status == .exited(code), "\(arguments): \(ended.error)")
            #expect(ended.error.contains(text) && ended.output.isEmpty, "\(arguments): \(ended.error)")
        }
    }

    @Test("A load that is stopped as soon as it starts leaves the runner as it is")
    func stoppedAtOnce() async throws {
        try await withFolder { _, lab in
            let url = lab.state.runner_url + "/api/load"
            for _ in 0..<5 {
                #expect(try await lab.post(url, #"{"profile": "chain"}"#).status == 202)
                #expect(try await lab.post(url + "/stop").status == 200)
                try await waitUntil("its end", within: .seconds(30)) {
                    guard let state = try await lab.get(url).body["state"]?.text else { return false }
                    return ["finished", "failed"].contains(state)
                }
            }
        }
    }

    @Test("SIGINT ends it in order, with the summary so far")
    func interrupt() async throws {
        try await withFolder { folder, lab in
            let hasBegun: [@Sendable () async throws -> Bool] = [
                {
                    let books = try await lab.get(lab.state.payment_url + "/payment/audit?limit=1").body
                    return books["payments"].map { $0 != .array([]) } ?? false
                },
                {
                    let load = try await lab.get(lab.state.runner_url + "/api/load")
                    return load.body["progress"] != nil
                },
            ]
            for (target, begun) in zip([["--base-url", lab.state.payment_url], ["--state", folder.path]], hasBegun) {
                let arguments = ["load", "chain", "--rate", "20", "--duration", "10m", "--json"] + target
                let csv = folder.appendingPathComponent("seconds.csv").path
                let result = try await Subprocess.run(
                    .path(FilePath(LabProcess.runner)), arguments: Arguments(arguments + ["--csv", csv]),
                    workingDirectory: FilePath(LabProcess.repository.path), input: .none, output: .sequence,
                    error: .discarded
                ) { execution in
                    try await waitUntil("the load has begun", within: .seconds(30), begun)
                    try execution.send(signal: .interrupt)
                    var text = ""
                    for try await part in execution.standardOutput.strings() { text += part }
                    return text
                }
                #expect(result.terminationStatus == .exited(0))
                let summary = try summary(result.closureResult)
                #expect(summary.stopped && summary.requests > 0 && summary.success_rate == 1)
            }
        }
    }
}

private enum FreePort {
    /// A port on which nothing listens.
    static func refused() throws -> Int {
        let taken = try TakenPort()
        return taken.number
    }
}
