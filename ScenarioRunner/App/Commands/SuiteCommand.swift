import ArgumentParser
import Experiments
import Foundation
import HTTPTypes
import Shared
import UnixSignals
import Verdict

/// `scenario-runner suite <file | folder>`: experiments one after the other, and what share of them held.
struct SuiteCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "suite", abstract: "Run experiments one after the other, and say how resilient the system is.",
        discussion: """
            A folder of manifests, or a YAML file that names experiments:

              name: nightly
              rest: 10s
              rate: 20
              experiments:
                - packet-loss-80-percent
                - {name: cpu-stress-payment, duration: 20s, expect: "success >= 95%, money right"}

            What cannot be run there is not tested, and counts neither way. A runner that is there runs its own \
            manifests: a folder whose experiments are others than those is refused.

            Exit codes, the worst that happened: 2 a run deviated, else 3 one was aborted or the suite was stopped, else 4 one was invalid or \
            nothing was tested, else 0. 64 the file is wrong, 69 there is no lab.
            """)

    @Argument(help: "A suite (YAML), or a folder of manifests.")
    var path: String

    @Option(help: "At least this long between two runs; then until the system is well. Default: 10s, or the suite's.")
    var rest: String?

    @Option(help: "How long to measure before each fault, where the suite does not say.")
    var baseline: String?

    @Option(help: "How long each fault lasts, where the suite does not say.")
    var duration: String?

    @Option(help: "How long to measure after each fault, where the suite does not say.")
    var recovery: String?

    @Option(help: "Requests a second, where the suite does not say.")
    var rate: Int?

    @Option(help: "Folder for the reports. Default: suites/<time> in the lab's folder.")
    var out: String?

    @Flag(name: .customLong("stop-on-failure"), help: "Run nothing more once a run did not hold.")
    var stopOnFailure = false

    @Flag(help: "Print the result as JSON on standard output, and nothing else there.")
    var json = false

    @OptionGroup var target: TargetOptions
    @OptionGroup var lab: LabOptions

    mutating func run() async throws {
        let (suite, isFolder) = try SuiteArgument(path: path).read()
        if isFolder {
            guard lab.experimentsFolder == nil else {
                throw RefusedRequest(
                    description: "--experiments: \(path) is the folder of the experiments; leave it out")
            }
            lab.experimentsFolder = path
        }
        let defaults = try settings()
        let rest = try self.rest.map { try Self.duration($0, "--rest") } ?? suite.rest ?? SuiteRun.defaultRest
        let startedAt = UnixTime.now.seconds
        let outcome = try await LabSession.withRunner(target, lab, heeding: isFolder ? ["--experiments"] : []) {
            [self] address in
            if isFolder { try await SuiteFolder(path: path).requireSame(at: address) }
            return await Self.run(suite, rest, stopsOnFailure: stopOnFailure, address) { entry in
                try await RunClient(address: address, progress: ProgressLine()).run(
                    body(entry, entry.settings.over(suite.settings).over(defaults)))
            }
        }
        let result = SuiteResult(
            name: suite.name, startedAt: startedAt, entries: outcome.entries, wasStopped: outcome.wasStopped)
        let files = SuiteFiles(folder: folder(startedAt))
        try files.write(result)
        if json {
            FileHandle.standardOutput.write(try result.json())
        } else {
            print(SuiteTable.render(result), terminator: "")
            print("Report        \(files.index.relativePath)")
        }
        if let lost = outcome.lost { throw lost }
        if result.exitCode != 0 { throw ExitCode(result.exitCode) }
    }

    /// SIGINT and SIGTERM end the run that is under way in order, and the suite with it.
    private static func run(
        _ suite: Suite, _ rest: Duration, stopsOnFailure: Bool, _ address: RunnerAddress,
        _ entry: @escaping @Sendable (Suite.Entry) async throws -> Journal
    ) async -> SuiteRun.Outcome {
        let stop = Latch()
        let client = HTTPClient()
        let settled = SettledSystem(connection: RunnerConnection(address: address, client: client))
        let count = suite.entries.count
        let work = SuiteRun(
            suite: suite, stopsOnFailure: stopsOnFailure, settle: { await settled.wait(rest: $0, stop: stop) },
            run: entry, stop: stop,
            report: { number, result in
                let verdict = result.journal?.verdict.rawValue ?? "not tested"
                FileHandle.standardError.write(Data("[\(number)/\(count)] \(result.experiment): \(verdict)\n".utf8))
            })
        let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
        let outcome = await withTaskGroup(of: Void.self) { group in
            group.addTask {
                for await _ in signals { stop.open() }
            }
            defer { group.cancelAll() }
            return await work(rest: rest)
        }
        await client.shutdown()
        return outcome
    }

    private func settings() throws -> Suite.Settings {
        var settings = Suite.Settings()
        settings.baseline = try baseline.map { try Self.duration($0, "--baseline") }
        settings.duration = try duration.map { try Self.duration($0, "--duration") }
        settings.recovery = try recovery.map { try Self.duration($0, "--recovery") }
        settings.rate = rate
        return settings
    }

    private static func duration(_ text: String, _ option: String) throws -> Duration {
        do throws(QuantityError) { return try GoDuration.parse(text) } catch {
            throw ValidationError("\(option) '\(text)' \(error.description)")
        }
    }

    private func body(_ entry: Suite.Entry, _ settings: Suite.Settings) -> JSONValue {
        var body: [String: JSONValue] = [
            "experiment": .string(entry.experiment), "origin": .string(RunRequest.Origin.commandLine.rawValue),
        ]
        body["baseline"] = settings.baseline.map { .string(GoDuration.text($0)) }
        body["duration"] = settings.duration.map { .string(GoDuration.text($0)) }
        body["recovery"] = settings.recovery.map { .string(GoDuration.text($0)) }
        body["rate"] = settings.rate.map { .integer(Int64($0)) }
        body["expect"] = entry.expect.map { .string($0.description) }
        if let seed = lab.seed, let seed = Int64(exactly: seed) { body["seed"] = .integer(seed) }
        return .object(body)
    }

    private func folder(_ startedAt: Double) -> URL {
        if let out { return URL(fileURLWithPath: out) }
        let style = Date.ISO8601FormatStyle(dateSeparator: .omitted, timeSeparator: .omitted)
        let time = Date(timeIntervalSince1970: startedAt).formatted(style)
        return URL(fileURLWithPath: "\(lab.stateFolder)/suites/\(time)")
    }
}

/// A suite as people name it: a YAML file, or a folder of manifests.
struct SuiteArgument: Sendable {
    let path: String

    private static let maximumBytes = 256 * 1024

    /// - Throws: ``RefusedRequest`` with file, line and field.
    func read() throws -> (suite: Suite, isFolder: Bool) {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw RefusedRequest(description: "there is no \(path): name a suite (YAML) or a folder of manifests")
        }
        do {
            if isFolder.boolValue { return (try Suite(folder: path), true) }
            guard let data = try? Data(contentsOf: URL(fileURLWithPath: path)), data.count <= Self.maximumBytes,
                let text = String(data: data, encoding: .utf8)
            else { throw RefusedRequest(description: "\(path) cannot be read as a suite of at most 256 KiB of text") }
            return (try Suite(yaml: text, file: path), false)
        } catch let refusal as Refusal {
            throw RefusedRequest(description: refusal.description)
        }
    }
}
