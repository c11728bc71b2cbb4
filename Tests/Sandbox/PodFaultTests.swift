import Experiments
import Foundation
import TestSupport
import Testing

@testable import Sandbox

/// Kills and failures of real processes, under a real supervisor.
@Suite struct PodFaultTests {
    private static let stubborn = "trap '' TERM; echo ready; while :; do sleep 0.02; done"
    private let folder: TestFolder

    init() throws { folder = try TestFolder() }

    private func command(_ name: String, _ script: String = "exec sleep 60") -> ReplicaCommand {
        ReplicaCommand(
            name: name, arguments: ["/bin/sh", "-c", script], environment: ["PATH": "/usr/bin:/bin"],
            logFile: folder.file("\(name).log"))
    }

    private func replicas(
        _ commands: ReplicaCommand..., body: (Supervisor) async throws -> Void
    ) async throws {
        try await supervise(commands) { supervisor in
            try await supervisor.waitUntilRunning()
            try await body(supervisor)
        }
    }

    private func kills(_ fault: PodKillFault) async throws -> KillReading {
        guard case .kills(let reading) = await fault.reading() else { throw WrongReading() }
        return reading
    }

    private func downtime(_ fault: PodFailureFault) async throws -> DowntimeReading {
        guard case .downtime(let reading) = try await fault.reading() else { throw WrongReading() }
        return reading
    }

    private struct WrongReading: Error {}

    // MARK: Kills

    @Test func everyChosenReplicaIsKilledOnceAndComesBack() async throws {
        let parent = "sleep 61 & echo $!; wait"
        try await replicas(command("a", parent), command("b"), command("c")) { supervisor in
            try await eventually("its child is started") { !folder.text("a.log").isEmpty }
            let child = try #require(Int32(folder.text("a.log").trimmingCharacters(in: .newlines)))
            let before = try ["a", "b"].map { try supervisor.pid(of: $0) }
            let spared = try supervisor.pid(of: "c")
            let fault = try PodKillFault(replicas: ["a", "b"], grace: .zero, supervisor: supervisor)
            #expect(fault.summary == "kill a,b at once")
            try await fault.apply()
            try await fault.verify()
            #expect(!before.contains(where: isAlive))
            try await eventually("what it had started is gone as well") { !isAlive(child) }
            let reading = try await kills(fault)
            #expect(reading.asked == 2 && reading.waiting.isEmpty)
            #expect(Set(reading.killed.map(\.pid)) == Set(before))
            #expect(reading.killed.allSatisfy { $0.end == "signal 9" })
            #expect(Dose(.kills(reading)).effective)

            await fault.undo()
            try await eventually("back") { supervisor.snapshot().allSatisfy { $0.state == .up } }
            let after = try ["a", "b"].map { try supervisor.pid(of: $0) }
            await fault.undo()
            #expect(try ["a", "b"].map { try supervisor.pid(of: $0) } == after, "an undo kills nothing")
            #expect(try await kills(fault) == reading, "one kill each, and no more")
            #expect(try supervisor.pid(of: "c") == spared)
        }
    }

    @Test func aReplicaBetweenTwoProcessesIsKilledWhenItIsBack() async throws {
        // It fails four times, and is then waited with for 640 ms and more.
        let starts = folder.file("starts")
        let script = "echo >> '\(starts)'; n=$(wc -l < '\(starts)'); [ $n -lt 5 ] && exit $n; exec sleep 60"
        try await supervise([command("a", script)]) { supervisor in
            try await eventually("the fourth wait") {
                supervisor.status(of: "a")?.lastExit == .code(4)
            }
            let fault = try PodKillFault(replicas: ["a"], grace: .zero, supervisor: supervisor)
            try await fault.apply()
            try await fault.verify()
            let killed = try #require(try await kills(fault).killed.first)
            let pid = try #require(killed.pid)
            #expect(killed.end == "signal 9" && !isAlive(pid))
            try await eventually("back") { supervisor.status(of: "a")?.state == .up }
        }
    }

    @Test func aProcessThatIgnoresItsEndIsKilledAfterTheGrace() async throws {
        let grace = Duration.milliseconds(400)
        try await replicas(command("a", Self.stubborn)) { supervisor in
            try await eventually("ready") { folder.text("a.log").contains("ready") }
            let pid = try supervisor.pid(of: "a")
            let fault = try PodKillFault(replicas: ["a"], grace: grace, supervisor: supervisor)
            let start = ContinuousClock.now
            try await fault.apply()
            try await fault.verify()
            var reading = try await kills(fault)
            if ContinuousClock.now - start < grace {
                #expect(reading.waiting == ["a"] && reading.killed.isEmpty)
                #expect(!Dose(.kills(reading)).effective, "not before it is killed")
            }
            try await eventually("killed") {
                reading = try await kills(fault)
                return reading.waiting.isEmpty
            }
            #expect(ContinuousClock.now - start >= grace)
            #expect(reading.killed.map(\.end) == ["signal 9"])
            #expect(!isAlive(pid))
        }
    }

    @Test func aProcessThatEndsInItsGraceIsNotKilled() async throws {
        let polite = "trap 'exit 0' TERM; echo ready; while :; do sleep 0.02; done"
        try await replicas(command("a", polite)) { supervisor in
            try await eventually("ready") { folder.text("a.log").contains("ready") }
            let fault = try PodKillFault(replicas: ["a"], grace: .seconds(60), supervisor: supervisor)
            try await fault.apply()
            try await eventually("ended") { try await kills(fault).killed.map(\.end) == ["exit code 0"] }
            try await eventually("back") { supervisor.status(of: "a")?.state == .up }
        }
    }

    @Test func anUndoInTheGraceTakesTheKillBack() async throws {
        try await replicas(command("a", Self.stubborn), command("b", Self.stubborn)) { supervisor in
            try await eventually("ready") {
                folder.text("a.log").contains("ready") && folder.text("b.log").contains("ready")
            }
            let pid = try supervisor.pid(of: "a")
            let first = try PodKillFault(replicas: ["a"], grace: .milliseconds(300), supervisor: supervisor)
            try await first.apply()
            await first.undo()
            // The later kill tells that the time of the first one is over.
            let second = try PodKillFault(replicas: ["b"], grace: .milliseconds(600), supervisor: supervisor)
            try await second.apply()
            try await eventually("the later kill") { try await kills(second).killed.count == 1 }
            #expect(isAlive(pid))
            #expect(try supervisor.pid(of: "a") == pid)
        }
    }

    @Test func nothingIsKilledWhereNotAllCanBe() async throws {
        try await replicas(command("a")) { supervisor in
            let pid = try supervisor.pid(of: "a")
            let fault = try PodKillFault(replicas: ["a", "z"], grace: .zero, supervisor: supervisor)
            await #expect(throws: SupervisorError.unknown("z")) { try await fault.apply() }
            await #expect(throws: FaultMismatch.self) { try await fault.verify() }
            #expect(try supervisor.pid(of: "a") == pid)
            #expect(throws: InvalidFault.self) {
                try PodKillFault(replicas: [], grace: .zero, supervisor: supervisor)
            }
            #expect(throws: InvalidFault.self) {
                try PodKillFault(replicas: ["a"], grace: .seconds(-1), supervisor: supervisor)
            }
        }
    }

    // MARK: Failures

    @Test func aFailedReplicaIsDownUntilTheFaultIsUndone() async throws {
        try await replicas(command("a"), command("b"), command("c")) { supervisor in
            let before = try ["a", "b"].map { try supervisor.pid(of: $0) }
            let spared = try supervisor.pid(of: "c")
            let fault = try PodFailureFault(replicas: ["a", "b"], supervisor: supervisor)
            #expect(fault.summary == "keep a,b down")
            try await fault.apply()
            try await fault.verify()
            #expect(!before.contains(where: isAlive))
            #expect(supervisor.snapshot().map(\.state) == [.held, .held, .up])
            var reading = try await downtime(fault)
            #expect(reading.asked == 2 && reading.down == ["a", "b"])
            try await eventually("time counts") { try await downtime(fault).seconds > reading.seconds }

            try await fault.undo()
            #expect(supervisor.snapshot().map(\.state) == [.up, .up, .up])
            reading = try await downtime(fault)
            let after = try ["a", "b"].map { try supervisor.pid(of: $0) }
            #expect(Set(after).isDisjoint(with: before))
            try await fault.undo()
            #expect(try ["a", "b"].map { try supervisor.pid(of: $0) } == after)
            #expect(try await downtime(fault) == reading, "the clock has stopped")
            await #expect(throws: FaultVanished.self) { try await fault.verify() }
            #expect(try supervisor.pid(of: "c") == spared)
        }
    }

    @Test func aReplicaThatSomeoneElseStartsIsNoticed() async throws {
        try await replicas(command("a"), command("b")) { supervisor in
            let fault = try PodFailureFault(replicas: ["a", "b"], supervisor: supervisor)
            try await fault.apply()
            try supervisor.release("b")
            await #expect(throws: FaultVanished(fault: "keep a,b down", cause: "b was started by someone else")) {
                _ = try await fault.reading()
            }
            // Down again, but it was up in between.
            try await eventually("up") { supervisor.status(of: "b")?.state == .up }
            try supervisor.hold("b")
            try await eventually("down") { supervisor.status(of: "b")?.state == .held }
            await #expect(throws: FaultVanished.self) { _ = try await fault.reading() }
            try await fault.undo()
            #expect(supervisor.snapshot().allSatisfy { $0.state == .up })
        }
    }

    @Test func aSecondApplicationBeginsAnewAndAFailedOneLeavesNothing() async throws {
        try await replicas(command("a")) { supervisor in
            let fault = try PodFailureFault(replicas: ["a"], supervisor: supervisor)
            try await fault.apply()
            try await fault.apply()
            try await fault.verify()
            try await fault.undo()
            let wrong = try PodFailureFault(replicas: ["a", "z"], supervisor: supervisor)
            await #expect(throws: SupervisorError.unknown("z")) { try await wrong.apply() }
            // The failure to release what never was does not keep the other one down.
            try await eventually("up") { supervisor.status(of: "a")?.state == .up }
            #expect(throws: InvalidFault.self) { try PodFailureFault(replicas: [], supervisor: supervisor) }
        }
    }

    @Test func aCancelledRunStillUndoesItsFailure() async throws {
        try await replicas(command("a")) { supervisor in
            let fault = try PodFailureFault(replicas: ["a"], supervisor: supervisor)
            let run = Task {
                try await fault.apply()
                withUnsafeCurrentTask { $0?.cancel() }
                try await fault.undo()
            }
            try await run.value
            #expect(supervisor.status(of: "a")?.state == .up)
        }
    }

    @Test func anUndoAfterTheEndOfTheLabIsHarmless() async throws {
        var failed: PodFailureFault?
        try await replicas(command("a")) { supervisor in
            let fault = try PodFailureFault(replicas: ["a"], supervisor: supervisor)
            try await fault.apply()
            failed = fault
        }
        try await failed?.undo()
    }
}
