import Testing

@testable import Sandbox

@Suite struct NetworkToolTests {
    @Test func outputAndInputPassThrough() async throws {
        #expect(try await CommandLineTool.run("cat", [], input: "one\ntwo\n") == "one\ntwo\n")
        #expect(try await CommandLineTool.run("cat", []) == "")
    }

    @Test func aFailureTellsToolArgumentsCodeAndWords() async {
        await #expect {
            try await CommandLineTool.run("sh", ["-c", "echo ' no such thing ' >&2; exit 3"])
        } throws: { error in
            guard let error = error as? ToolError else { return false }
            return error.tool == "sh" && error.outcome == .exited(3) && error.standardError == "no such thing"
                && error.description.hasSuffix("exit 3 exited with 3: no such thing")
        }
    }

    @Test func aSignalIsTold() async {
        await #expect(throws: ToolError(tool: "sh", arguments: ["-c", "kill -9 $$"], outcome: .signalled(9))) {
            try await CommandLineTool.run("sh", ["-c", "kill -9 $$"])
        }
    }

    @Test func aMissingToolNamesTheRemedy() async {
        await #expect {
            try await CommandLineTool.run("no-such-tool-here", [])
        } throws: { "\($0)" == "no-such-tool-here is not installed; install it, or put it on the PATH" }
        let nft = ToolError(tool: "nft", arguments: [], outcome: .missing(package: "nftables"))
        #expect(nft.remedy == "install it: apt-get install nftables")
    }

    @Test func theTimeLimitIsTotalAndKills() async {
        let limit = Duration.milliseconds(200)
        await #expect(throws: ToolError(tool: "sh", arguments: ["-c", Self.trickle], outcome: .timedOut(limit))) {
            try await CommandLineTool.run("sh", ["-c", Self.trickle], timeout: limit)
        }
    }

    private static let trickle = "trap '' TERM; while :; do echo more; sleep 0.02; done"

    /// A failing tool seldom reads to the end, and must take nobody with it.
    @Test func aToolMayEndWithoutReadingItsInput() async {
        let input = String(repeating: "x", count: 60_000)
        for _ in 0..<50 {
            await #expect(throws: ToolError(tool: "false", arguments: [], outcome: .exited(1))) {
                try await CommandLineTool.run("false", [], input: input)
            }
        }
    }

    @Test func tooMuchInputIsAnError() async {
        await #expect(throws: ToolError.self) {
            try await CommandLineTool.run("cat", [], input: String(repeating: "x", count: 1 << 20))
        }
    }

    @Test func tooMuchOutputIsAnError() async {
        await #expect(throws: ToolError.self) {
            try await CommandLineTool.run("head", ["-c", "\(CommandLineTool.outputLimit + 1)", "/dev/zero"])
        }
    }

    @Test func argumentsAreCutInMessages() {
        let long = ToolError(tool: "ip", arguments: [String(repeating: "x", count: 500)], outcome: .exited(1))
        #expect(long.arguments.count == 200)
    }
}
