import ArgumentParser
import Experiments
import Foundation
import HTTPTypes
import Load
import Shared
import UnixSignals

/// `scenario-runner locust`: load by Locust, in the lab that runs here or in one of its own.
struct LocustCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "locust", abstract: "Put load on the system with Locust files.",
        subcommands: [ListFiles.self, RunFile.self, Stop.self], defaultSubcommand: ListFiles.self)

    struct ListFiles: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "List the Locust files.",
            discussion: "Exit codes: 0 they can be run, 69 there is no Locust, or no lab runs.")

        @Option(name: .customLong("state"), help: "Folder of the running lab.")
        var stateFolder = ".lab"

        @OptionGroup var target: TargetOptions

        mutating func run() async throws {
            let answer = try JSONDecoder().decode(
                Overview.self, from: try await target.client(lab: stateFolder).call(.get, "/api/locust"))
            let width = answer.files.map(\.name.count).max() ?? 0
            for file in answer.files {
                print("\(file.name.padding(toLength: width, withPad: " ", startingAt: 0))  \(file.description)")
            }
            if let current = answer.current { print("running: \(current.file) as \(current.id)") }
            if let obstacle = answer.obstacle { throw LabError(obstacle) }
        }
    }

    struct RunFile: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "run", abstract: "Run one Locust file to its end.",
            discussion: "Exit codes: 0 no request failed, 2 some did, 3 it was stopped, 69 there is no Locust.")

        @Argument(help: "A file of the folder of Locust files: shopper.py.")
        var file: String

        @Option(help: "Users at a time, 1 to 5000.")
        var users = LocustOrder.defaultUsers

        @Option(help: "New users a second.")
        var spawnRate = LocustOrder.defaultSpawnRate

        @Option(help: "How long, 1s to 1h.")
        var runTime = GoDuration.text(LocustOrder.defaultRunTime)

        @Flag(help: "Print the run as JSON on standard output, and nothing else there.")
        var json = false

        @OptionGroup var target: TargetOptions
        @OptionGroup var lab: LabOptions

        mutating func run() async throws {
            let name = file.hasSuffix(".py") ? file : "\(file).py"
            let path =
                "/api/run_locust/\(URLEscape.pathSegment(name))?num_users=\(users)&spawn_rate=\(spawnRate)"
                + "&run_time=\(URLEscape.pathSegment(runTime))"
            let (run, address) = try await LabSession.withRunner(target, lab) { address in
                (try await LocustFollower(client: RunnerClient(address: address)).run(path), address)
            }
            if json {
                let encoder = JSONEncoder()
                encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
                FileHandle.standardOutput.write(try encoder.encode(run) + Data("\n".utf8))
            } else {
                print(LocustText.summary(run))
                print("Files         \(address.locustFiles(of: run.id))")
            }
            switch run.outcome {
            case .passed: break
            case .failed: throw ExitCode(CommandExit.deviated.rawValue)
            case .stopped: throw ExitCode(CommandExit.aborted.rawValue)
            case .error, nil: throw LabError(run.message ?? "Locust did not run")
            }
        }
    }

    struct Stop: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "stop", abstract: "End the Locust that runs.")

        @Option(name: .customLong("state"), help: "Folder of the running lab.")
        var stateFolder = ".lab"

        @OptionGroup var target: TargetOptions

        mutating func run() async throws {
            let answer = try await target.client(lab: stateFolder).call(.post, "/api/locust/stop")
            print(try JSONDecoder().decode(JSONValue.self, from: answer)["message"]?.text ?? "")
        }
    }

    private struct Overview: Decodable {
        struct File: Decodable {
            let name: String
            let description: String
        }
        let obstacle: String?
        let files: [File]
        let current: LocustRun?
    }
}

/// A Locust run followed through the API of a runner, with a line that lives on a terminal.
private struct LocustFollower: Sendable {
    let client: RunnerClient

    private static let pollInterval = Duration.milliseconds(250)
    /// Beyond the longest run that the API admits.
    private static let longest = Duration.seconds(65 * 60)

    /// - Parameter path: starts it.
    /// - Throws: ``LabError`` when the runner refuses or cannot be reached, ``RefusedRequest`` for wrong usage.
    func run(_ path: String) async throws -> LocustRun {
        // SIGINT and SIGTERM stop the load, which would outlive this process.
        let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
        let answer = try await client.call(.post, path)
        guard let id = try JSONDecoder().decode(JSONValue.self, from: answer)["run_id"]?.text else {
            throw LabError("the runner did not name the run")
        }
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                for await _ in signals { _ = try? await client.call(.post, "/api/locust/stop") }
            }
            defer { group.cancelAll() }
            return try await follow(id)
        }
    }

    private func follow(_ id: String) async throws -> LocustRun {
        let line = ProgressLine()
        defer { line.clear() }
        let deadline = ContinuousClock.now + Self.longest
        while ContinuousClock.now < deadline {
            let answer = try await client.call(.get, "/api/locust/runs/\(URLEscape.pathSegment(id))")
            let run = try JSONDecoder().decode(LocustRun.self, from: answer)
            if run.state == .finished { return run }
            line.show(LocustText.line(run))
            try await Task.sleep(for: Self.pollInterval)
        }
        throw LabError("the Locust run \(id) has not ended; see \(client.address.url)/api/locust/runs/\(id)")
    }
}

/// A Locust run for people.
enum LocustText {
    /// While it runs.
    static func line(_ run: LocustRun) -> String {
        guard let live = run.live else { return "\(run.file)  \(run.state.rawValue)" }
        var line = "\(run.file)  \(live.users) users   \(Int(live.throughputRps.rounded())) requests/s, "
        line += "\(live.failures) of \(live.requests) failed"
        if let p95 = live.p95Ms { line += ", p95 \(Int(p95.rounded())) ms" }
        return line
    }

    /// Once it has ended.
    static func summary(_ run: LocustRun) -> String {
        var lines = ["Locust        \(run.file), \(run.users) users, \(run.runTimeS) s (\(run.driver), \(run.id))", ""]
        if let summary = run.summary {
            let rows = summary.endpoints.map { ("\($0.method) \($0.name)", $0.figures) } + [("all", summary.total)]
            let width = max(20, rows.map(\.0.count).max() ?? 0)
            func row(_ name: String, _ cells: [String]) -> String {
                name.padding(toLength: width, withPad: " ", startingAt: 0)
                    + cells.map { String(repeating: " ", count: max(1, 11 - $0.count)) + $0 }.joined()
            }
            lines.append(row("", ["requests", "failures", "p50", "p95", "p99", "max"]))
            for (name, figures) in rows {
                let times = [figures.p50Ms, figures.p95Ms, figures.p99Ms, figures.maxMs]
                lines.append(
                    row(
                        name,
                        [String(figures.requests), String(figures.failures)]
                            + times.map { time in time.map { "\(Int($0.rounded())) ms" } ?? "-" }))
            }
            lines.append("")
            lines += summary.errors.map { "  \($0.occurrences) x \($0.method) \($0.name): \($0.error)" }
            lines += summary.exceptions.map { "  \($0.occurrences) x the profile raised \($0.message)" }
        }
        lines.append("Outcome       \((run.outcome?.rawValue ?? "").uppercased()): \(run.message ?? "")")
        return lines.joined(separator: "\n")
    }
}
