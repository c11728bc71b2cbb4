import Foundation
import TestSupport
import Testing

@testable import Sandbox

/// A replica that is held down: the rules, and real processes under them.
@Suite struct SupervisorHoldTests {
    private let zero = ContinuousClock.now
    private let folder: TestFolder

    init() throws { folder = try TestFolder() }

    private func policy(after events: RestartPolicy.Event...) -> RestartPolicy {
        var policy = RestartPolicy(seed: 1, name: "payment-0")
        for event in events { _ = policy.handle(event) }
        return policy
    }

    private func command(_ name: String, _ script: String = "exec sleep 60") -> ReplicaCommand {
        ReplicaCommand(
            name: name, arguments: ["/bin/sh", "-c", script], environment: ["PATH": "/usr/bin:/bin"],
            logFile: folder.file("\(name).log"))
    }

    // MARK: The rules

    @Test func aRunningReplicaIsEndedAndStartsOnlyAfterItsRelease() {
        var policy = policy(after: .start, .started(at: zero))
        #expect(policy.handle(.hold) == .end)
        #expect(policy.handle(.hold) == .nothing, "a second hold is harmless")
        #expect(policy.handle(.exited(at: zero)) == .waitForRelease)
        #expect(policy.state == .held)
        #expect(policy.handle(.timer) == .waitForRelease)
        #expect(policy.handle(.release) == .nothing)
        #expect(policy.handle(.release) == .nothing, "a second release is harmless")
        #expect(policy.state == .released)
        #expect(policy.handle(.timer) == .spawn)
        #expect(policy.restarts == 1)
    }

    @Test func aReplicaThatIsStartingIsEndedAsSoonAsItHasStarted() {
        var policy = policy(after: .start)
        #expect(policy.handle(.hold) == .end)
        #expect(policy.handle(.started(at: zero)) == .end)
        #expect(policy.handle(.exited(at: zero)) == .waitForRelease)
    }

    @Test func aReplicaThatBacksOffIsHeldWithoutAProcess() {
        var policy = policy(after: .start, .exited(at: zero))
        #expect(policy.handle(.hold) == .nothing)
        #expect(policy.state == .held)
        #expect(policy.handle(.timer) == .waitForRelease, "the wait that was under way ends in none")
        _ = policy.handle(.release)
        #expect(policy.handle(.hold) == .nothing, "held again before it could start")
        #expect(policy.state == .held)
    }

    @Test func aReleaseBeforeTheProcessHasEndedBringsItBack() {
        var policy = policy(after: .start, .started(at: zero), .hold)
        #expect(policy.handle(.release) == .nothing)
        guard case .wait(let delay) = policy.handle(.exited(at: zero)) else {
            Issue.record("it must come back")
            return
        }
        #expect(delay <= RestartPolicy.firstDelay)
    }

    @Test func theHoldIsNotTheReplicasOwnFailure() {
        var policy = policy(after: .start)
        for _ in 0..<5 {
            _ = policy.handle(.exited(at: zero))
            _ = policy.handle(.timer)
        }
        for event in [.started(at: zero), .hold, .exited(at: zero), .release, .timer] as [RestartPolicy.Event] {
            _ = policy.handle(event)
        }
        guard case .wait(let delay) = policy.handle(.exited(at: zero)) else {
            Issue.record("it must come back")
            return
        }
        #expect(delay <= RestartPolicy.firstDelay)
    }

    @Test(arguments: [[RestartPolicy.Event.hold], [.hold, .release]])
    func stopEndsAHold(events: [RestartPolicy.Event]) {
        var waiting = policy(after: .start, .exited(at: zero))
        for event in events { _ = waiting.handle(event) }
        #expect(waiting.handle(.stop) == .nothing)
        #expect(waiting.state == .stopped)

        var running = policy(after: .start, .started(at: zero))
        for event in events { _ = running.handle(event) }
        _ = running.handle(.stop)
        #expect(running.handle(.exited(at: zero)) == .nothing)
        #expect(running.state == .stopped)
    }

    @Test func holdAndReleaseMeanNothingToAReplicaThatIsNotWanted() {
        var policy = RestartPolicy(seed: 1, name: "payment-0")
        #expect(policy.handle(.hold) == .nothing && policy.state == .stopped)
        #expect(policy.handle(.release) == .nothing && policy.state == .stopped)
    }

    // MARK: Real processes

    @Test func whatIsHeldStaysDownAndWhatIsReleasedComesBackAtOnce() async throws {
        try await supervise([command("a"), command("b")]) { supervisor in
            try await supervisor.waitUntilRunning()
            let (first, other) = (try supervisor.pid(of: "a"), try supervisor.pid(of: "b"))
            try supervisor.hold("a")
            try await eventually("down") { supervisor.status(of: "a")?.state == .held }
            let down = try #require(supervisor.status(of: "a"))
            #expect(down.pid == nil && down.heldSince != nil && down.lastExit == .signal(SIGKILL))
            #expect(!isAlive(first))
            try supervisor.release("a")
            try await eventually("up") { supervisor.status(of: "a")?.state == .up }
            #expect(try supervisor.pid(of: "a") != first)
            #expect(supervisor.status(of: "a")?.heldSince == nil)
            #expect(try supervisor.pid(of: "b") == other, "its neighbour is left alone")
            #expect(throws: SupervisorError.unknown("z")) { try supervisor.hold("z") }
            #expect(throws: SupervisorError.unknown("z")) { try supervisor.release("z") }
        }
    }

    @Test func aReplicaThatCannotLiveIsNotTriedWhileItIsHeld() async throws {
        try await supervise([command("a", "echo start; exit 3"), command("clock", "sleep 0.05")]) { supervisor in
            try await eventually("it has failed") { supervisor.status(of: "a")?.lastExit == .code(3) }
            try supervisor.hold("a")
            try await eventually("down") { supervisor.status(of: "a")?.state == .held }
            let starts = folder.text("a.log")
            // Another replica counts the time: its restarts are as far apart as those of the first would be.
            let restarts = try #require(supervisor.status(of: "clock")?.restarts)
            try await eventually("the other one's restarts") {
                try #require(supervisor.status(of: "clock")?.restarts) >= restarts + 2
            }
            #expect(folder.text("a.log") == starts)
            try supervisor.release("a")
            try await eventually("tried again") { folder.text("a.log") != starts }
        }
    }

    @Test func aLabEndsCleanlyWithAReplicaHeldAndOneOnItsWayDown() async throws {
        try await supervise([command("a"), command("b"), command("c")]) { supervisor in
            try await supervisor.waitUntilRunning()
            try supervisor.hold("a")
            try await eventually("down") { supervisor.status(of: "a")?.state == .held }
            try supervisor.hold("b")
        }
    }
}
