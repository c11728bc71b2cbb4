import ArgumentParser
import Experiments
import Foundation
import HTTPTypes
import Shared

/// `scenario-runner plan <experiment>`: what a run would do, with nothing changed.
struct PlanCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan", abstract: "Show what an experiment would put where, and what takes it away.",
        discussion: "Exit codes: 0 it can be run here, 64 it cannot.")

    @Argument(help: "The name of an experiment in the experiments folder.")
    var experiment: String

    @Flag(help: "Print the plan as JSON on standard output, and nothing else there.")
    var json = false

    @OptionGroup var target: TargetOptions
    @OptionGroup var lab: LabOptions

    mutating func run() async throws {
        let path = "/api/experiments/\(URLEscape.pathSegment(experiment))/plan" + (lab.seed.map { "?seed=\($0)" } ?? "")
        let body = try await LabSession.withRunner(target, lab) { try await RunnerClient(address: $0).call(.get, path) }
        let plan = try JSONDecoder().decode(PlanDocument.self, from: body)
        if json { FileHandle.standardOutput.write(body + Data("\n".utf8)) } else { print(plan.text) }
        if plan.refusal != nil { throw ExitCode(CommandExit.usage.rawValue) }
    }
}

extension PlanDocument {
    /// For people.
    var text: String {
        var lines = [
            "\(experiment) (\(kind), engine \(engine), seed \(seed))",
            "  dose      \(effectiveDose)",
            "  duration  \(durationS.map { GoDuration.text(.milliseconds(Int($0 * 1000))) } ?? "as the run says")",
        ]
        if let refusal { return (lines + ["  refused   \(refusal)"]).joined(separator: "\n") }
        lines.append("  replicas  \(replicas.joined(separator: ", "))")
        lines.append("  places    \(places.joined(separator: ", "))")
        for step in steps {
            lines += ["  at        \(step.location)", "    do      \(step.action)", "    undo    \(step.undo)"]
        }
        return lines.joined(separator: "\n")
    }
}
