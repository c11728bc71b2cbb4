import ArgumentParser
import Experiments
import Foundation
import HTTPTypes
import Shared
import UnixSignals
import Verdict

/// `scenario-runner run <experiment>`: one measured run, in the lab that runs here or in one of its own, or in a cluster.
struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Run one experiment with load, measure it, and print the verdict.",
        discussion: "Exit codes: 0 held, 2 deviated, 3 aborted, 4 invalid.")

    @Argument(help: "The name of an experiment in the experiments folder.")
    var experiment: String

    @Option(help: "How long to measure before the fault.")
    var baseline = GoDuration.text(RunRequest.defaultBaseline)

    @Option(
        help: "How long the fault lasts, from its verified injection. Default: 30s; of a plan over time, all of it.")
    var duration: String?

    @Option(help: "How long to measure after the fault.")
    var recovery = GoDuration.text(RunRequest.defaultRecovery)

    @Option(help: "Requests a second. Default: the experiment's own, or \(RunRequest.defaultRate).")
    var rate: Int?

    @Option(
        help: """
            How the services guard themselves meanwhile, such as hardened or 'retry-storm + retry_budget'. Default: the \
            experiment's own, or as it is.
            """)
    var resilience: String?

    @Option(help: "The name of a load profile. Default: chains and payments, one to one.")
    var profile: String?

    @Option(help: "How requests arrive: constant, or poisson.")
    var arrivals = "constant"

    @Option(
        help: ArgumentHelp(
            "What is expected, instead of the experiment's hypothesis: 'success >= 99%'. May be repeated.",
            valueName: "hypothesis"))
    var expect: [String] = []

    @Option(
        help: ArgumentHelp(
            "When to end early, instead of the experiment's: 'success < 10% for 10s'. May be repeated.",
            valueName: "condition"))
    var stopWhen: [String] = []

    @Flag(help: "Print the journal on standard output, and nothing else there.")
    var json = false

    @Option(help: "Also write the journal and its report into this folder.")
    var out: String?

    @OptionGroup var target: TargetOptions
    @OptionGroup var lab: LabOptions

    /// Before a lab is started for it.
    mutating func validate() throws {
        do {
            if !expect.isEmpty { _ = try Hypothesis.parse(expect.joined(separator: ", ")) }
        } catch {
            throw ValidationError("--expect \(error)")
        }
        do {
            if !stopWhen.isEmpty { _ = try StopCondition.parseList(stopWhen.joined(separator: ", ")) }
        } catch {
            throw ValidationError("--stop-when \(error)")
        }
    }

    mutating func run() async throws {
        let (journal, address) = try await LabSession.withRunner(target, lab) { [self] address in
            (try await RunClient(address: address, progress: ProgressLine()).run(body), address)
        }
        if let out { try write(journal, to: out) }
        if json {
            try FileHandle.standardOutput.write(contentsOf: try journal.json())
        } else {
            print(ReportTable.render(journal))
            print("Journal       \(address.file(of: journal.runID, "json"))")
            print("Report        \(address.file(of: journal.runID, "html"))")
        }
        if journal.verdict.exitCode != 0 { throw ExitCode(journal.verdict.exitCode) }
    }

    private var body: JSONValue {
        var body: [String: JSONValue] = [
            "experiment": .string(experiment), "origin": .string(RunRequest.Origin.commandLine.rawValue),
            "baseline": .string(baseline), "recovery": .string(recovery),
            "arrivals": .string(arrivals),
        ]
        body["rate"] = rate.map { .integer(Int64($0)) }
        body["profile"] = profile.map(JSONValue.string)
        body["resilience"] = resilience.map(JSONValue.string)
        body["duration"] = duration.map(JSONValue.string)
        if !expect.isEmpty { body["expect"] = .array(expect.map(JSONValue.string)) }
        if !stopWhen.isEmpty { body["stop_when"] = .array(stopWhen.map(JSONValue.string)) }
        if let seed = lab.seed, let seed = Int64(exactly: seed) { body["seed"] = .integer(seed) }
        return .object(body)
    }

    private func write(_ journal: Journal, to folder: String) throws {
        let folder = URL(fileURLWithPath: folder)
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            let files = JournalFiles(folder: folder)
            try files.write(journal)
            try files.writeReport(journal)
        } catch {
            throw LabError("cannot write the journal to \(folder.path); choose another folder with --out")
        }
    }
}

/// The lab will not do what was asked for, whenever it is asked. Exit code 64.
struct RefusedRequest: Error, CustomStringConvertible {
    let description: String
}

/// A run followed through the API of a runner.
struct RunClient: Sendable {
    let address: RunnerAddress
    let progress: ProgressLine

    private static let pollInterval = Duration.milliseconds(250)
    /// In a cluster the runner asks others first, each of which has its time.
    private static let startTime = Duration.seconds(60)
    /// Beyond the longest run that the API admits; the runner ends every run by itself long before.
    private static let longest = Duration.seconds(45 * 60)

    /// - Throws: ``LabError`` when the runner refuses or cannot be reached.
    func run(_ body: JSONValue) async throws -> Journal {
        let client = HTTPClient()
        let connection = RunnerConnection(address: address, client: client)
        do {
            let journal = try await follow(try await start(body, connection), connection)
            await client.shutdown()
            return journal
        } catch {
            await client.shutdown()
            progress.clear()
            throw error is SilentRunner ? address.silence : error
        }
    }

    private func start(_ body: JSONValue, _ connection: RunnerConnection) async throws -> String {
        let answer = try await connection.call(
            .post, "/api/runs", body: try JSONEncoder().encode(body), timeout: Self.startTime)
        return try JSONDecoder().decode(Started.self, from: answer).id
    }

    /// Waits for the run's end. SIGINT, SIGTERM and the end of the terminal stop the run, so that its fault does not
    /// outlive this process; the verdict is then aborted.
    private func follow(_ id: String, _ connection: RunnerConnection) async throws -> Journal {
        let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm, .sighup)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                for await _ in signals { _ = try? await connection.call(.post, path(id) + "/stop") }
            }
            defer { group.cancelAll() }
            return try await poll(id, connection)
        }
    }

    private func path(_ id: String) -> String { "/api/runs/\(URLEscape.pathSegment(id))" }

    private func poll(_ id: String, _ connection: RunnerConnection) async throws -> Journal {
        let deadline = ContinuousClock.now + Self.longest
        var patient = PatientConnection(connection)
        while ContinuousClock.now < deadline {
            if let answer = try await patient.ask(path(id)) {
                let run = try JSONDecoder().decode(Followed.self, from: answer)
                if let journal = run.journal {
                    progress.clear()
                    return journal
                }
                progress.show(run.view)
            } else {
                progress.show("the runner does not answer; the run goes on there")
            }
            try await Task.sleep(for: Self.pollInterval)
        }
        throw LabError("the run \(id) has not ended; see \(address.url)/api/runs/\(id)")
    }

    private struct Started: Decodable {
        let id: String
    }

    private struct Followed: Decodable {
        let view: RunView
        let journal: Journal?

        enum CodingKeys: String, CodingKey { case journal }

        init(from decoder: any Decoder) throws {
            view = try RunView(from: decoder)
            journal = try decoder.container(keyedBy: CodingKeys.self).decodeIfPresent(Journal.self, forKey: .journal)
        }
    }
}

/// One line on a terminal's standard error that tells how a run goes; nothing where standard error is no terminal.
struct ProgressLine: Sendable {
    private let isTerminal = isatty(2) == 1

    func show(_ run: RunView) {
        var line = run.phase.map { "\($0.rawValue)" } ?? run.state.rawValue
        if let end = run.phaseEndsAt {
            line += "  \(max(0, Int((end - UnixTime.now.seconds).rounded(.up)))) s left"
        }
        if let live = run.live, let rate = live.successRate {
            line += "   \(live.requests) requests/s, \(Int((rate * 100).rounded())) % ok"
            if let p95 = live.p95Ms { line += ", p95 \(Int(p95.rounded())) ms" }
        }
        show(line)
    }

    func show(_ line: String) { write("\r\u{1B}[K\(line)") }

    func clear() { write("\r\u{1B}[K") }

    private func write(_ text: String) {
        // The terminal may be gone.
        if isTerminal { try? FileHandle.standardError.write(contentsOf: Data(text.utf8)) }
    }
}
