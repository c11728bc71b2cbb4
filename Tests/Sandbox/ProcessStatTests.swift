import Foundation
import TestSupport
import Testing

@testable import Sandbox

@Suite struct ProcessStatTests {
    private let line =
        "42 (a (odd) name) R 7 42 42 0 -1 4194304 100 0 0 0 250 50 0 0 20 0 1 0 12345 1000000 300 18446744073709551615 1"

    @Test func aLineIsReadWhateverTheProgramIsCalled() throws {
        let stat = try #require(ProcessStat(parsing: line, ticksPerSecond: 100, pageBytes: 4096))
        #expect(stat.state == "R")
        #expect(stat.parent == 7)
        #expect(stat.processorTime == .seconds(3))
        #expect(stat.residentBytes == 300 * 4096)
    }

    @Test(arguments: ["", "42 name R", "42 (name) R 7 42", "42 (name"])
    func whatIsNoSuchLineIsRefused(text: String) {
        #expect(ProcessStat(parsing: text, ticksPerSecond: 100, pageBytes: 4096) == nil)
    }

    @Test func thisProcessIsThere() throws {
        let stat = try #require(ProcessStat.read(getpid()))
        #expect(stat.parent == getppid())
        #expect(try #require(ProcessStat.residentBytes(of: getpid())) > 1 << 20)
        let exact = try #require(ProcessStat.processorTime(of: getpid()))
        #expect(exact > .zero)
    }

    @Test func aProcessThatIsNotThereIsNil() {
        // Beyond the kernel's highest possible pid, 2^22.
        #expect(ProcessStat.read(5_000_000) == nil)
        #expect(ProcessStat.residentBytes(of: 5_000_000) == nil)
        #expect(ProcessStat.processorTime(of: 5_000_000) == nil)
    }

    @Test func residentMemoryIsInKibibytes() {
        #expect(ProcessStat.residentBytes(inStatus: "Name:\tx\nVmRSS:\t    1234 kB\n") == 1234 * 1024)
        #expect(ProcessStat.residentBytes(inStatus: "Name:\tx\nState:\tZ (zombie)\n") == 0)
    }

    @Test func aChildIsFollowedToItsEnd() async throws {
        var child = try ChildProcess(["/bin/sh", "-c", "exit 7"], input: nil, logFile: nil)
        try await eventually("exit") {
            child.poll()
            return child.exit != nil
        }
        #expect(child.exit == .code(7))
        #expect(child.anonymousBytes == 0)
        child.send(SIGKILL)
        #expect(!child.wasSignalled, "an ended process gets no signal")
    }

    @Test func aProgramThatIsNotThereSaysSo() {
        let error = #expect(throws: ToolError.self) {
            _ = try ChildProcess(["/no/such/program"], input: nil, logFile: nil)
        }
        #expect(error?.description == "/no/such/program: No such file or directory")
    }
}
