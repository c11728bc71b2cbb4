import Foundation
import SystemPackage
import TestSupport
import Testing

@testable import Sandbox

@Suite struct SupervisorTests {
    private let folder: TestFolder

    init() throws { folder = try TestFolder() }

    private func command(_ name: String, _ script: String, limits: ResourceLimits? = nil) -> ReplicaCommand {
        ReplicaCommand(
            name: name, arguments: ["/bin/sh", "-c", script], environment: ["GREETING": "hello"],
            logFile: folder.file("\(name).log"), limits: limits)
    }

    private func pid(_ supervisor: Supervisor, _ name: String) throws -> Int32 {
        try #require(supervisor.snapshot().first { $0.name == name }?.pid)
    }

    @Test func aKilledReplicaComesBackUnderANewPid() async throws {
        try await supervise([command("a", "exec sleep 60"), command("b", "exec sleep 60")]) { supervisor in
            try await supervisor.waitUntilRunning()
            let first = try pid(supervisor, "a")
            let other = try pid(supervisor, "b")
            try supervisor.kill("a", signal: SIGKILL)
            try await eventually("restarted") {
                let status = supervisor.snapshot()[0]
                return status.restarts == 1 && status.state == .up && status.pid != first
            }
            #expect(supervisor.snapshot()[0].lastExit == .signal(SIGKILL))
            #expect(!isAlive(first))
            #expect(try pid(supervisor, "b") == other, "its neighbour is left alone")
        }
    }

    @Test func theWaitsBetweenRestartsGrow() async throws {
        let script = "date +%s%N; exit 3"
        try await supervise([command("a", script)]) { supervisor in
            try await eventually("four starts") { folder.text("a.log").split(separator: "\n").count >= 4 }
            #expect(supervisor.snapshot()[0].lastExit == .code(3))
        }
        let starts = folder.text("a.log").split(separator: "\n").compactMap { Int64($0) }
        // At least 80, 160 and 320 ms: the waits without their jitter are 100, 200 and 400.
        for (index, shortest) in [80, 160, 320].enumerated() {
            #expect(starts[index + 1] - starts[index] >= Int64(shortest) * 1_000_000)
        }
    }

    @Test func restartsUseUpNoFileDescriptors() async throws {
        let log = folder.file("a.log")
        try await supervise([command("a", "echo started; exit 3")]) { supervisor in
            try await eventually("four starts") { folder.text("a.log").split(separator: "\n").count >= 4 }
            let open = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").filter {
                // One that was closed since has no destination.
                (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)")) == log
            }
            #expect(open.count <= 1, "the process that runs now may have the log open, none before it")
        }
    }

    @Test func aProgramThatIsNotThereIsTriedAgainAndReported() async throws {
        let missing = ReplicaCommand(
            name: "a", arguments: ["/no/such/program"], environment: [:], logFile: folder.file("a.log"))
        try await supervise([missing]) { supervisor in
            try await eventually("tried twice") { supervisor.snapshot()[0].restarts >= 1 }
            let exit = try #require(supervisor.snapshot()[0].lastExit)
            #expect("\(exit)".hasPrefix("not started"))
            #expect(throws: SupervisorError.noProcess("a")) { try supervisor.kill("a", signal: SIGTERM) }
            #expect(throws: SupervisorError.unknown("z")) { try supervisor.kill("z", signal: SIGTERM) }
        }
    }

    @Test func theEndIsOrderlyAndTakesEvenThoseThatIgnoreIt() async throws {
        let polite = command("polite", "trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.02; done")
        let stubborn = command("stubborn", "trap '' TERM; echo ready; while :; do sleep 0.02; done")
        var pids: [Int32] = []
        var stopped = ContinuousClock.now
        try await supervise([polite, stubborn], grace: .milliseconds(500)) { supervisor in
            try await supervisor.waitUntilRunning()
            try await eventually("both ready") {
                folder.text("polite.log").contains("ready") && folder.text("stubborn.log").contains("ready")
            }
            pids = supervisor.snapshot().compactMap(\.pid)
            stopped = .now
        }
        #expect(ContinuousClock.now - stopped < .seconds(5), "one grace for all, then SIGKILL")
        #expect(pids.count == 2)
        #expect(!pids.contains(where: isAlive))
        #expect(folder.text("polite.log").hasSuffix("bye\n"))
    }

    @Test func theLogHasBothStreamsAndTheEnvironmentIsTheGivenOne() async throws {
        try await supervise([command("a", "echo out $GREETING; echo err ${HOME-none} >&2; exec sleep 60")]) { _ in
            try await eventually("logged") { folder.text("a.log") == "out hello\nerr none\n" }
        }
    }

    @Test func aLimitThatNoControlGroupHoldsIsHeldByStoppingAndContinuing() async throws {
        let limits = ResourceLimits(cpuMillicores: 200, memoryBytes: 128 << 20)
        try await supervise([command("a", "while :; do :; done", limits: limits)]) { supervisor in
            try await supervisor.waitUntilRunning()
            let process = try pid(supervisor, "a")
            let start = ContinuousClock.now
            let before = try #require(ProcessStat.processorTime(of: process))
            // Waits for the work, not for the time: on a busy machine the loop gets less, never more.
            var used = Duration.zero
            // Long enough that what it burns while the watch oversleeps is paid back.
            try await eventually("500 ms burnt") {
                used = try #require(ProcessStat.processorTime(of: process)) - before
                return used > .milliseconds(500)
            }
            let cores = used / (ContinuousClock.now - start)
            #expect(cores < 0.4, "\(cores) cores")
        }
    }

    @Test func aReplicaOverItsMemoryIsKilledAndStartedAgain() async throws {
        let limits = ResourceLimits(cpuMillicores: 1000, memoryBytes: 24 << 20)
        let hungry = "x=0123456789abcdef; while :; do x=$x$x; done"
        try await supervise([command("a", hungry, limits: limits)]) { supervisor in
            try await eventually("killed") { supervisor.snapshot()[0].lastExit == .signal(SIGKILL) }
        }
    }

    @Test func aLongLogIsMovedAsideWhileTheProcessGoesOnWriting() throws {
        let log = ReplicaLog(path: folder.file("a.log"), maximumBytes: 10)
        let file = try log.open()
        defer { try? file.close() }
        _ = try file.writeAll("short\n".utf8)
        try log.rotateIfLong()
        #expect(folder.text("a.log") == "short\n")
        _ = try file.writeAll("and now too long\n".utf8)
        try log.rotateIfLong()
        #expect(folder.text("a.log").isEmpty)
        #expect(folder.text("a.log.1") == "short\nand now too long\n")
        _ = try file.writeAll("next\n".utf8)
        #expect(folder.text("a.log") == "next\n")
    }
}
