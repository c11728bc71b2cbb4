import ArgumentParser
import Cluster
import Foundation
import Sandbox
import Shared

/// Options that every command with a lab has.
struct LabOptions: ParsableArguments {
    @Option(name: .customLong("state"), help: "Folder for logs, databases and journals.")
    var stateFolder = ".lab"

    // What shapes a lab has no default here: whoever uses a lab that runs already has to know what was asked for.

    @Option(
        name: .customLong("experiments"),
        help: "Folder with the Chaos Mesh manifests. Default: \(LabOptions.usualExperiments).")
    var experimentsFolder: String?

    @Option(
        name: .customLong("profiles"), help: "Folder with the load profiles. Default: \(LabOptions.usualProfiles).")
    var profilesFolder: String?

    @Option(
        name: .customLong("locust-profiles"),
        help: "Folder with the Locust files. Default: \(LocustSettings.usualProfilesFolder).")
    var locustFolder: String?

    @Option(
        help: ArgumentHelp(
            "Keep the services' data in PostgreSQL: postgres://user@host/database. The lab's own network reaches only a "
                + "Unix socket (?host=/folder); a password belongs into the file that DATABASE_PASSWORD_FILE names.",
            valueName: "url"))
    var database: String?

    @Flag(help: "No namespaces: replicas on loopback, without network faults.")
    var plain = false

    @Flag(name: .customLong("no-limits"), help: "Lift the limits of 200m CPU and 128Mi memory a replica.")
    var noLimits = false

    @Flag(name: .customLong("allow-total"), help: "Let faults touch every replica of every service at once.")
    var allowTotal = false

    @Option(help: "Decides every random choice; printed and in the journal. Chosen when absent.")
    var seed: UInt64?

    @Option(
        help: """
            Ports on 127.0.0.1 for payment,inventory,notification,runner; 0 takes a free one. Default: \
            \(LabOptions.usualPorts).
            """)
    var ports: String?

    static let usualExperiments = "chaos-experiments"
    static let usualProfiles = "ScenarioRunner/load-profiles"
    static let usualPorts = "5002,5003,5004,8000"

    /// Those that were given and say what a lab is to be like when it starts: nothing to a lab that runs.
    var shaping: [String] {
        let all: [(name: String, isGiven: Bool)] = [
            ("--experiments", experimentsFolder != nil), ("--profiles", profilesFolder != nil),
            ("--locust-profiles", locustFolder != nil), ("--database", database != nil), ("--plain", plain),
            ("--no-limits", noLimits), ("--allow-total", allowTotal), ("--ports", ports != nil),
        ]
        return all.filter(\.isGiven).map(\.name)
    }

    /// - Parameters:
    ///   - heeded: shaping options that the command itself looks at.
    ///   - reason: why no lab is started.
    /// - Throws: ``RefusedRequest`` when one was given that would say nothing.
    func requireNoShaping(but heeded: Set<String> = [], because reason: String) throws {
        let unheeded = shaping.filter { !heeded.contains($0) }
        guard !unheeded.isEmpty else { return }
        throw RefusedRequest(
            description: "\(unheeded.joined(separator: ", ")) would shape a lab that this command starts, but \(reason)"
        )
    }

    func settings() throws -> LabSettings {
        let numbers = (ports ?? Self.usualPorts).split(separator: ",", omittingEmptySubsequences: false).map {
            Int($0) ?? -1
        }
        guard numbers.count == 4, numbers.allSatisfy({ (0...65535).contains($0) }) else {
            throw ValidationError("--ports takes four numbers from 0 to 65535: 5002,5003,5004,8000")
        }
        let environment = try runnerEnvironment()
        return try LabSettings(
            stateFolder: stateFolder, experimentsFolder: experimentsFolder ?? Self.usualExperiments,
            profilesFolder: profilesFolder ?? Self.usualProfiles,
            ports: .init(
                payment: numbers[0], inventory: numbers[1], notification: numbers[2], runner: numbers[3]),
            database: try databaseSetting(), plain: plain, limits: !noLimits, allowTotal: allowTotal,
            seed: seed ?? .random(in: RunRequest.seeds),
            cooldownSeconds: environment.cooldownMinutes * 60,
            locust: LocustSettings(
                profilesFolder: locustFolder ?? LocustSettings.usualProfilesFolder,
                environment: ProcessInfo.processInfo.environment))
    }

    private func databaseSetting() throws -> LabDatabase? {
        guard let database else { return nil }
        do {
            let setting = try LabDatabase(url: database, isPlain: plain)
            try setting.requireSupport()
            return setting
        } catch let refusal as LabDatabase.Refusal {
            throw ValidationError("\(refusal)")
        }
    }

    private func runnerEnvironment() throws -> RunnerEnvironment {
        let environment = ProcessInfo.processInfo.environment
        return try .detected(in: environment, .detect(environment: environment))
    }
}

/// `scenario-runner lab`: the outer process, ``OuterLab``.
struct LabCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lab", abstract: "Start the three services, their network, and the page, on this machine.")

    @OptionGroup var options: LabOptions

    @Flag(help: .hidden)
    var untilInputEnds = false

    mutating func run() async throws {
        try await OuterLab(settings: try options.settings()).run {
            if untilInputEnds { Self.endWithInput() }
        }
    }

    /// Ends the lab in order when standard input does: whoever started it holds the other end of that pipe.
    private static func endWithInput() {
        Thread.detachNewThread {
            var byte: UInt8 = 0
            while read(0, &byte, 1) > 0 {}
            kill(getpid(), SIGTERM)
        }
    }
}

/// The same program, started again inside the namespaces, as their first process.
struct LabInsideCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "lab-inside", shouldDisplay: false)

    @Option(help: .hidden)
    var settings: String

    mutating func run() async throws { try await OuterLab.runInside(try LabSettings(encoded: settings)) }
}

/// `scenario-runner heal`: removes what the end of a lab can leave behind.
struct HealCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "heal", abstract: "Remove what a killed lab can leave behind: empty cgroup folders.")

    mutating func run() async throws {
        let removed = await ControlGroups.sweep()
        print(removed.isEmpty ? "Nothing was left behind." : "Removed:\n" + removed.joined(separator: "\n"))
    }
}
