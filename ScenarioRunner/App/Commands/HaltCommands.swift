import ArgumentParser
import Foundation
import HTTPTypes
import Shared

/// `scenario-runner halt`: the kill switch, for hands that are not on the page.
struct HaltCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "halt", abstract: "Remove every fault now, end every load, and let nothing start until 'rearm'.",
        discussion: "Exit codes: 0 every fault is gone, 69 some are still there, or no lab runs.")

    @Option(name: .customLong("state"), help: "Folder of the running lab.")
    var stateFolder = ".lab"

    @OptionGroup var target: TargetOptions

    mutating func run() async throws {
        let answer = try JSONDecoder().decode(
            Answer.self, from: try await target.client(lab: stateFolder).call(.post, "/api/halt"))
        guard answer.remaining.isEmpty else { throw LabError(answer.message) }
        let stopped = answer.stopped.isEmpty ? "" : " (stopped: \(answer.stopped.joined(separator: ", ")))"
        print("\(answer.message) It took \(answer.tookMs) ms\(stopped).")
    }

    private struct Answer: Decodable {
        let message: String
        let stopped: [String]
        let remaining: [String]
        let tookMs: Int

        enum CodingKeys: String, CodingKey {
            case message, stopped, remaining
            case tookMs = "took_ms"
        }
    }
}

/// `scenario-runner rearm`: after a halt, lets experiments start again.
struct RearmCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rearm", abstract: "After a halt, let experiments and loads start again.")

    @Option(name: .customLong("state"), help: "Folder of the running lab.")
    var stateFolder = ".lab"

    @OptionGroup var target: TargetOptions

    mutating func run() async throws {
        _ = try await target.client(lab: stateFolder).call(.post, "/api/rearm")
        print("Re-armed: experiments and loads can start.")
    }
}
