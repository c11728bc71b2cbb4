import ArgumentParser
import Experiments
import Foundation
import Load
import Shared

/// `scenario-runner load <profile>`: load without a fault, with numbers that a stall cannot hide.
struct LoadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "load", abstract: "Put load on the system, without a fault, and say what its users met.",
        discussion: """
            With a base URL on the host the load comes from this process, else from the lab's client host, in the \
            lab that runs here or in one of its own, or with --target kubernetes from the runner's pod.
            Exit codes: 0 done and every threshold held, 2 a threshold failed.
            """)

    @Argument(help: "The name of a profile in the profiles folder, or the path of a file.")
    var profile: String

    @Option(help: "Requests a second, in the open model.")
    var rate = LoadShape.defaultRate

    @Option(help: "How long to send.")
    var duration = "30s"

    @Option(help: "open: requests come at their times, answered or not; closed: users who wait for answers.")
    var model = "open"

    @Option(help: "constant, or poisson, in the open model.")
    var arrivals = "constant"

    @Option(help: "Instead of --rate and --duration: parts such as 100/30s,100..500/1m.")
    var ramp: String?

    @Option(help: "Users, in the closed model.")
    var users = 10

    @Option(help: "How long a user thinks between an answer and the next request, in the closed model.")
    var think = "0s"

    @Option(help: "How long a request may take in all.")
    var timeout = GoDuration.text(LoadPlan.patience)

    @Option(name: .customLong("base-url"), help: "Where to send the requests instead, such as http://127.0.0.1:5002.")
    var baseURL: String?

    @Flag(help: "Print the summary as JSON on standard output, and nothing else there.")
    var json = false

    @Option(help: "Also write the seconds of the load into this file, as CSV.")
    var csv: String?

    @OptionGroup var target: TargetOptions
    @OptionGroup var lab: LabOptions

    mutating func run() async throws {
        let order = LoadCommandOrder(
            profile: try loadProfile(), shape: try readShape(), timeout: try Self.duration(timeout, "--timeout"),
            baseURL: baseURL, seed: lab.seed ?? .random(in: RunRequest.seeds))
        try order.check()
        let file = try csv.map(CSVFile.init(path:))
        let line = LoadLine()
        let summary: LoadSummary
        if order.isOnHost {
            try lab.requireNoShaping(
                but: ["--profiles"], because: "\(order.target) is reached from this process: leave that out")
            summary = try await HostLoad(order: order).run(line, file)
        } else {
            summary = try await LabSession.withRunner(target, lab, heeding: ["--profiles"]) { address in
                try await RunnerLoad(address: address, order: order).run(line, file)
            }
        }
        line.clear()
        try file?.finish()
        if json {
            FileHandle.standardOutput.write(try summary.json())
        } else {
            print(LoadTable.render(summary), terminator: "")
        }
        if !summary.heldThresholds { throw ExitCode(CommandExit.deviated.rawValue) }
    }

    private func loadProfile() throws -> LoadProfile {
        do throws(Refusal) {
            if profile.contains("/") || profile.hasSuffix(".yaml") || profile.hasSuffix(".yml") {
                return try LoadProfile.load(file: profile)
            }
        } catch {
            throw RefusedRequest(description: error.description)
        }
        let folder = lab.profilesFolder ?? LabOptions.usualProfiles
        let catalogue = LoadProfileCatalogue.load(folder: folder)
        if let found = catalogue.profile(named: profile) { return found }
        let names = catalogue.profiles.map(\.name).joined(separator: ", ")
        let problems = catalogue.problems.map { "\n  \($0)" }.joined()
        throw RefusedRequest(
            description: "there is no profile \(profile) in \(folder); there are: \(names)\(problems)")
    }

    private func readShape() throws -> LoadShape {
        var shape = LoadShape()
        guard let model = LoadShape.Model(rawValue: model) else {
            throw ValidationError("--model is open or closed")
        }
        guard let arrivals = ArrivalSchedule.Arrivals(rawValue: arrivals) else {
            throw ValidationError("--arrivals is constant or poisson")
        }
        (shape.model, shape.arrivals, shape.rate, shape.ramp, shape.users) = (model, arrivals, rate, ramp, users)
        shape.durationMs = try Self.milliseconds(Self.duration(duration, "--duration"))
        shape.thinkMs = try Self.milliseconds(Self.duration(think, "--think"))
        return shape
    }

    private static func duration(_ text: String, _ option: String) throws -> Duration {
        guard let duration = try? GoDuration.parse(text) else {
            throw ValidationError("\(option) is a duration such as 60s")
        }
        return duration
    }

    private static func milliseconds(_ duration: Duration) -> Int {
        Int((duration / .milliseconds(1)).rounded())
    }
}

/// A load as the command line asks for it.
struct LoadCommandOrder: Sendable {
    let profile: LoadProfile
    let shape: LoadShape
    let timeout: Duration
    let baseURL: String?
    let seed: UInt64

    private var effectiveURL: String? { baseURL ?? profile.baseURL }

    /// Whether the requests go to an address that this process reaches by itself: any but the names of the services.
    var isOnHost: Bool {
        guard let url = effectiveURL, let host = URLComponents(string: url)?.host else { return false }
        return !SystemUnderTest.services.map(\.name).contains(host)
    }

    /// - Throws: ``RefusedRequest`` for numbers out of their ranges.
    func check() throws {
        if let url = baseURL, !LoadProfile.isBaseURL(url) {
            throw RefusedRequest(description: "--base-url must be like http://127.0.0.1:5002")
        }
        do {
            _ = try plan()
        } catch {
            throw RefusedRequest(description: "\(error)")
        }
    }

    func plan() throws -> LoadPlan {
        let targets = LoadProfile.Targets(all: effectiveURL ?? "http://127.0.0.1")
        return try LoadPlan(
            model: shape.planModel(), seed: seed, runID: Identifier.make(prefix: "LOAD"),
            requests: profile.templates(targets: targets, baseURL: baseURL), timeout: timeout)
    }

    /// For an error that the user is to read.
    var target: String { effectiveURL ?? "" }
}
