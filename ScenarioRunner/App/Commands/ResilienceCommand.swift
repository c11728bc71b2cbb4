import ArgumentParser
import Foundation
import HTTPTypes
import Shared

/// `scenario-runner resilience`: shows or sets how the services of the running lab guard themselves.
struct ResilienceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resilience", abstract: "Show or set how the services guard themselves against one another.",
        discussion: """
            Profiles: naive (no defence but time limits and callers' deadlines), hardened (every pattern), retry-storm \
            (eager retries without a budget). Patterns: \(ResiliencePattern.allCases.map(\.rawValue).joined(separator: ", ")).
            Exit codes: 0 done, 64 no such profile or pattern, 69 no lab runs, or a run holds the settings.
            """)

    @Argument(help: "A profile; without it, and without --on and --off, nothing is changed.")
    var profile: String?

    @Option(help: "Patterns to switch on, with commas between them.")
    var on: String?

    @Option(help: "Patterns to switch off, with commas between them.")
    var off: String?

    @Flag(help: "Print the settings as JSON on standard output, and nothing else there.")
    var json = false

    @Option(name: .customLong("state"), help: "Folder of the running lab.")
    var stateFolder = ".lab"

    @OptionGroup var target: TargetOptions

    mutating func run() async throws {
        let client = try target.client(lab: stateFolder)
        let answer: Data
        if let body = try body() {
            answer = try await client.call(.put, "/api/resilience", body: JSONEncoder().encode(body))
        } else {
            answer = try await client.call(.get, "/api/resilience")
        }
        if json {
            FileHandle.standardOutput.write(answer + Data("\n".utf8))
        } else {
            print(Self.text(try JSONDecoder().decode(ResilienceSettings.self, from: answer)))
        }
    }

    /// Nil when nothing is to be changed.
    private func body() throws -> JSONValue? {
        var members: [String: JSONValue] = [:]
        if let profile, profile != "show" { members["profile"] = .string(profile) }
        let patterns = Self.names(on).map { ($0, JSONValue.bool(true)) } + Self.names(off).map { ($0, .bool(false)) }
        if !patterns.isEmpty {
            members["patterns"] = .object(
                try Dictionary(patterns) { _, _ in
                    throw ValidationError("a pattern stands twice in --on and --off")
                })
        }
        return members.isEmpty ? nil : .object(members)
    }

    private static func names(_ list: String?) -> [String] {
        (list ?? "").split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
    }

    static func text(_ settings: ResilienceSettings) -> String {
        let width = ResiliencePattern.allCases.map(\.rawValue.count).max() ?? 0
        let patterns = ResiliencePattern.allCases.map { pattern in
            let name = pattern.rawValue.padding(toLength: width + 2, withPad: " ", startingAt: 0)
            return "  \(name)\(settings.has(pattern) ? "on" : "off")"
        }
        let pool = settings.inventoryPool.map {
            "  inventory pool: \($0.connections) connections a replica, each busy for \($0.holdMs) ms a call"
        }
        return ([settings.profile.rawValue] + patterns + [pool].compactMap(\.self)).joined(separator: "\n")
    }
}
