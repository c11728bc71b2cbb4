import Glibc
import TestSupport
import Testing

@testable import Sandbox

@Suite struct LaunchProcessTests {
    @Test(arguments: [("exit 0", Int32(0)), ("exit 7", 7), ("kill -9 $$", 137), ("kill -TERM $$", 143)])
    func theExitCodeIsTheShells(script: String, code: Int32) async throws {
        let process = try shell(script)
        #expect(await process.exitCode() == code)
        #expect(await process.exitCode() == code)
    }

    @Test func onlyTheNamedDescriptorsAreInherited() async throws {
        let sockets = try FrontDoorSockets.bind([("a", 0), ("b", 0)])
        defer { sockets.close() }
        let (a, b) = (sockets.listeners[0].descriptor, sockets.listeners[1].descriptor)
        let script = "[ -S /proc/self/fd/\(a) ] && [ ! -e /proc/self/fd/\(b) ] && [ \"$DOOR\" = open ]"
        #expect(await (try shell(script, environment: ["DOOR": "open"], inheriting: [a])).exitCode() == 0)
    }

    @Test func theChildLeadsAGroupOfItsOwn() async throws {
        // Field 5 of stat is the process group. No subshell, or `self` would be another.
        let process = try shell("read -r _ _ _ _ group _ < /proc/$$/stat; [ $group = $$ ]")
        #expect(await process.exitCode() == 0)
    }

    @Test func aProcessThatIgnoresTermIsKilledAfterItsGrace() async throws {
        let obedient = try shell("trap 'exit 3' TERM; echo ready; while :; do sleep 0.01; done")
        try await eventually("the trap") { try Self.catches(SIGTERM, obedient.processID) }
        #expect(await obedient.stop(grace: .seconds(10)) == 3)
        let deaf = try shell("trap '' TERM; while :; do sleep 0.01; done")
        #expect(await deaf.stop(grace: .milliseconds(50)) >= 128)
    }

    @Test func cancellationKills() async throws {
        let process = try shell("while :; do sleep 0.01; done")
        let waiting = Task { await process.exitCode() }
        waiting.cancel()
        #expect(await waiting.value == 137)
    }

    @Test func aProgramThatIsNotThereIsAnError() {
        #expect(throws: ToolError.self) {
            try InheritingProcess(executable: "/no/such/program", arguments: [], inheriting: [])
        }
    }

    private func shell(
        _ script: String, environment: [String: String] = [:], inheriting descriptors: [Int32] = []
    ) throws -> InheritingProcess {
        try InheritingProcess(
            executable: "/bin/bash", arguments: ["-c", script], environment: environment, inheriting: descriptors)
    }

    private static func catches(_ signal: Int32, _ process: Int32) throws -> Bool {
        let status = try #require(SystemFile.text("/proc/\(process)/status"))
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("SigCgt:") })
        let mask = try #require(UInt64(line.dropFirst("SigCgt:".count).drop(while: \.isWhitespace), radix: 16))
        return mask & (1 << UInt64(signal - 1)) != 0
    }
}
