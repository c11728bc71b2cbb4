import ArgumentParser
import Foundation
import Shared
import Verdict

/// `scenario-runner compare A B`: whether two runs differ, and a gate for a change that must not make things worse.
struct CompareCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare", abstract: "Compare two runs, number by number, with intervals.",
        discussion: """
            A gate is [phase.]metric:limit, such as p99:+20%, success:-1% (points), baseline.p95:+50ms, throughput:-5%, \
            recovery:+5s; the phase is 'fault' when it is left away. 'any' trips when anything differs. A gate trips only \
            when the change is beyond its limit and no chance.

            Exit codes: 0 compared, 2 a gate tripped, 64 no such journal, 69 nobody answers at its address.
            """)

    @Argument(help: "The run to compare with: a journal, by its file or its address, or the id of a run.")
    var a: String

    @Argument(help: "The run to be judged.")
    var b: String

    @Option(
        name: .customLong("fail-on"), help: "A gate: p99:+20%. May be given several times.",
        transform: { text in
            do throws(RegressionGate.Malformed) { return try RegressionGate(text) } catch {
                throw ValidationError(error.description)
            }
        })
    var gates: [RegressionGate] = []

    @Flag(help: "Print the comparison as JSON on standard output, and nothing else there.")
    var json = false

    @Option(help: "Also write a page with the charts of both into this file.")
    var out: String?

    @Option(help: "Decides the drawing of the intervals.")
    var seed: UInt64 = 1

    @Option(name: .customLong("state"), help: "Folder of the lab that made the runs.")
    var stateFolder = ".lab"

    func run() async throws {
        let argument = JournalArgument(stateFolder: stateFolder)
        let (a, b) = (try await argument.read(a), try await argument.read(b))
        let comparison = RunComparison(a, b, seed: seed)
        let findings = RegressionGate.judge(gates, comparison)
        if json {
            FileHandle.standardOutput.write(try comparison.json(gates: findings))
        } else {
            print(ComparisonTable.render(comparison, gates: findings), terminator: "")
        }
        if let out {
            try OutputFile(path: out).write(ComparisonPage(a, b, comparison, gates: findings).html)
            if !json { print("Page          \(out)") }
        }
        if findings.contains(where: \.isTripped) { throw ExitCode(CommandExit.deviated.rawValue) }
    }
}
