import ArgumentParser
import Foundation
import HTTPTypes
import Shared
import Verdict

/// `scenario-runner check`: compares the books of the running system, with no history of clients.
struct CheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Check that the running system lost no money and made none.",
        discussion: "Exit codes: 0 right, 2 wrong, 69 not checked.")

    @Option(name: .customLong("state"), help: "Folder of the running lab.")
    var stateFolder = ".lab"

    @OptionGroup var target: TargetOptions

    @Flag(help: "Print the result as JSON on standard output, and nothing else there.")
    var json = false

    mutating func run() async throws {
        let client = try target.client(lab: stateFolder)
        let answer = try await client.call(.get, "/api/money-check", timeout: MoneyAuditor.totalTime + .seconds(10))
        let check = try JSONDecoder().decode(MoneyCheck.self, from: answer)
        if json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
            FileHandle.standardOutput.write(try encoder.encode(check) + Data("\n".utf8))
        } else {
            print(Self.text(check))
        }
        if check.violationCount > 0 { throw ExitCode(CommandExit.deviated.rawValue) }
        if let reason = check.notChecked { throw LabError("the money was not checked: \(reason)") }
    }

    /// The result for people: each violation with its history.
    static func text(_ check: MoneyCheck) -> String {
        if let reason = check.notChecked { return "not checked: \(reason)" }
        guard check.violationCount > 0 else { return "the money is right: \(check.checked) payments checked" }
        let shown = check.violations.map { violation in
            ([violation.line] + violation.history.map { "    \($0)" }).joined(separator: "\n")
        }
        let more = check.violationCount - check.violations.count
        return
            (["the money is wrong: \(check.violationCount) violations in \(check.checked) payments"] + shown
            + (more > 0 ? ["and \(more) more"] : [])).joined(separator: "\n")
    }
}
