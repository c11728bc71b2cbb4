import Foundation
import Shared
import Subprocess
import Testing

/// Wrong usage is exit code 64, something missing 69, bad configuration 78: one line each, from the real executable.
@Suite("Command line of the runner")
struct CommandLineTests {
    private let runner = Command.runner

    @Test("An unknown experiment is wrong usage, said in one line")
    func unknownExperiment() async throws {
        try await withStateFolder { folder in
            let ended = try await runner("run", "nothing", "--plain", "--state", folder, "--ports", "0,0,0,0")
            #expect(ended.status == .exited(64) && ended.output.isEmpty)
            #expect(ended.complaints.count == 1, "\(ended.error)")
            #expect(ended.error.hasPrefix("scenario-runner: There is no experiment nothing"))
        }
    }

    @Test(
        "Bad options are wrong usage",
        arguments: [
            ["--nonsense"], ["nonsense"], ["lab", "--nonsense"], ["run"], ["run", "a", "b"], ["explain"],
            ["run", "a", "--rate", "x"],
            ["lab", "--seed", "-1"], ["lab", "--ports", "nonsense"], ["lab", "--ports", "1,2,3"],
            ["lab", "--ports", "0,0,0,65536"], ["doctor", "--plain"],
        ])
    func badOptions(arguments: [String]) async throws {
        try await withStateFolder { folder in
            let hasState = arguments.first == "lab" || arguments.first == "run"
            let ended = try await runner.run(arguments + (hasState ? ["--state", folder] : []))
            #expect(ended.status == .exited(64), "\(ended.error)")
            #expect(ended.output.isEmpty && ended.error.hasPrefix("Error: "))
            #expect(!FileManager.default.fileExists(atPath: folder), "nothing was started")
        }
    }

    @Test(
        "Options that shape a lab are refused where none is started",
        arguments: [
            ["run", "packet-loss-80-percent"], ["plan", "packet-loss-80-percent"], ["load", "chain"],
            ["suite", "chaos-experiments"], ["locust", "run", "shopper"],
        ])
    func shapesNothing(command: [String]) async throws {
        try await withStateFolder { folder in
            for target in [["--target", "kubernetes"], ["--runner", "http://127.0.0.1:1"]] {
                let ended = try await runner.run(
                    command + target + ["--plain", "--ports", "0,0,0,0", "--state", folder])
                #expect(ended.status == .exited(64) && ended.complaints.count == 1, "\(command): \(ended.error)")
                #expect(
                    ended.error.hasPrefix("scenario-runner: --plain, --ports would shape a lab")
                        && ended.error.contains(target[0]), "\(ended.error)")
            }
        }
    }

    @Test("A misspelt environment is bad configuration")
    func badEnvironment() async throws {
        try await withStateFolder { folder in
            let wrong = Command(executable: "scenario-runner", environment: ["SCENARIO_RUNNER_ENVIRONMENT": "prod"])
            let ended = try await wrong("lab", "--state", folder, "--ports", "0,0,0,0")
            #expect(ended.status == .exited(78))
            #expect(
                ended.error
                    == "scenario-runner: bad configuration: SCENARIO_RUNNER_ENVIRONMENT=prod: "
                    + "must be local or production\n")
        }
    }

    @Test("A port that is taken is named", arguments: 0..<4)
    func takenPort(place: Int) async throws {
        let taken = try TakenPort()
        let port = taken.number
        try await withStateFolder { folder in
            let ports = (0..<4).map { $0 == place ? "\(port)" : "0" }.joined(separator: ",")
            let ended = try await runner("lab", "--plain", "--state", folder, "--ports", ports)
            #expect(ended.status == .exited(69))
            #expect(ended.complaints.count == 1 && ended.error.contains("port \(port) "), "\(ended.error)")
        }
    }

    @Test("A folder that cannot be written is said")
    func badFolder() async throws {
        let ended = try await runner("lab", "--plain", "--state", "/proc/nowhere", "--ports", "0,0,0,0")
        #expect(ended.status == .exited(69) && ended.complaints.count == 1)
        #expect(ended.error.contains("--state"))
    }

    @Test("The commands of the lab's inside are not for people")
    func insideByHand() async throws {
        let ended = try await runner("lab-inside", "--settings", "{}")
        #expect(ended.status == .exited(69) && ended.complaints.count == 1, "\(ended.error)")
    }

    @Test("doctor prints a table, or JSON")
    func doctor() async throws {
        let table = try await runner("doctor")
        let document = try await runner("doctor", "--json")
        let findings = try JSONDecoder().decode([Finding].self, from: Data(document.output.utf8))
        #expect(findings.contains { $0.name == "kernel" } && findings.contains { $0.name == "namespaces" })
        for finding in findings { #expect(table.output.contains(finding.name), "\(finding.name)") }
        #expect(findings.allSatisfy { $0.status == "ok" || $0.remedy != nil }, "every lack has its remedy")
        // On a machine where a lab runs, its ports are missing.
        let isComplete = !findings.contains { $0.status == "missing" }
        #expect(document.status == .exited(isComplete ? 0 : 69))
        #expect(document.error.isEmpty && table.error.isEmpty)
    }

    @Test("What needs a lab says that none runs", arguments: [["check"], ["explain", "PAY-1"]])
    func noLab(arguments: [String]) async throws {
        try await withStateFolder { folder in
            let ended = try await runner.run(arguments + ["--state", folder])
            #expect(ended.status == .exited(69) && ended.output.isEmpty)
            #expect(
                ended.error == "scenario-runner: no lab runs in \(folder); start one with 'scenario-runner lab', "
                    + "or name its --state\n")
        }
    }

    @Test("heal works where nothing was left")
    func heal() async throws {
        let ended = try await runner("heal")
        #expect(ended.status == .exited(0) && ended.error.isEmpty)
        #expect(ended.output.hasPrefix("Nothing was left behind.") || ended.output.hasPrefix("Removed:"))
    }

    @Test("The help names what people use, and nothing else")
    func help() async throws {
        let ended = try await runner("--help")
        #expect(ended.status == .exited(0))
        for command in ["lab", "run", "suite", "report", "compare", "check", "explain", "doctor", "heal"] {
            #expect(ended.output.contains("\n  \(command) "))
        }
        for command in ["lab-inside", "front-door", "load-worker", "stress-worker"] {
            #expect(!ended.output.contains(command))
        }
        let run = try await runner("run", "--help")
        #expect(run.output.contains("Exit codes: 0 held, 2 deviated, 3 aborted, 4 invalid."))
        #expect(try await runner("--version").output == "\(Version.current)\n")
    }

    private struct Finding: Decodable {
        let name: String
        let status: String
        let remedy: String?
    }
}
