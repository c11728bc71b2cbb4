import ArgumentParser
import Cluster
import Foundation
import Shared

/// `scenario-runner`: the commands, and what their exit codes mean.
///
/// 0 held or done - 2 deviated - 3 aborted - 4 invalid - 64 wrong usage - 69 something is missing - 78 bad configuration
@main
struct RunnerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scenario-runner",
        abstract: "Breaks a payment system on purpose, and measures what it did.",
        version: Version.current,
        subcommands: [
            LabCommand.self, ServeCommand.self, PlanCommand.self, RunCommand.self, SuiteCommand.self,
            ReportCommand.self, CompareCommand.self, LoadCommand.self, LocustCommand.self, ResilienceCommand.self,
            HaltCommand.self, RearmCommand.self, CheckCommand.self, ExplainCommand.self, DoctorCommand.self,
            HealCommand.self, LabInsideCommand.self, FrontDoorCommand.self,
            LoadWorkerCommand.self, StressWorkerCommand.self, PathWorkerCommand.self, StatusProbeCommand.self,
        ])

    static func main() async {
        // A peer that goes away is an error of one write, not the end of the process.
        signal(SIGPIPE, SIG_IGN)
        do {
            var command = try parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch let error as ClusterError {
            CommandExit.fail("\(error)", code: error.kind == .badConfiguration ? .badConfiguration : .unavailable)
        } catch let error as LabError {
            CommandExit.fail("\(error)", code: .unavailable)
        } catch let error as RefusedRequest {
            CommandExit.fail("\(error)", code: .usage)
        } catch let error as SettingsError {
            CommandExit.fail("\(error)", code: .badConfiguration)
        } catch {
            exit(withError: error)
        }
    }
}

/// Exit codes with a meaning; the numbers of wrong usage and below are those of `sysexits.h`.
enum CommandExit: Int32 {
    case done = 0
    case deviated = 2
    case aborted = 3
    case invalid = 4
    case usage = 64
    case unavailable = 69
    case badConfiguration = 78

    /// One line on standard error, then the end.
    static func fail(_ message: String, code: CommandExit) -> Never {
        // The terminal may be gone.
        try? FileHandle.standardError.write(contentsOf: Data("scenario-runner: \(message)\n".utf8))
        exit(code.rawValue)
    }
}
