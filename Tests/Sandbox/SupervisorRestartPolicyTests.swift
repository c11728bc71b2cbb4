import Experiments
import Testing

@testable import Sandbox

@Suite struct RestartPolicyTests {
    private let zero = ContinuousClock.now

    private func wait(_ action: RestartPolicy.Action) throws -> Duration {
        guard case .wait(let delay) = action else { throw Unexpected(action: action) }
        return delay
    }

    private struct Unexpected: Error { let action: RestartPolicy.Action }

    @Test func aWantedReplicaIsSpawnedAndThenLeftAlone() {
        var policy = RestartPolicy(seed: 1, name: "payment-0")
        #expect(policy.state == .stopped)
        #expect(policy.handle(.start) == .spawn)
        #expect(policy.handle(.started(at: zero)) == .nothing)
        #expect(policy.state == .running(since: zero))
        #expect(policy.restarts == 0)
    }

    @Test func theWaitDoublesFrom100MillisecondsTo5Seconds() throws {
        var policy = RestartPolicy(seed: 7, name: "payment-0")
        #expect(policy.handle(.start) == .spawn)
        for ceiling in [100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000] {
            _ = policy.handle(.started(at: zero))
            let delay = try wait(policy.handle(.exited(at: zero + .seconds(1))))
            let longest = Duration.milliseconds(ceiling)
            #expect(delay <= longest)
            #expect(delay >= longest * 0.8)
            #expect(policy.handle(.timer) == .spawn)
        }
        #expect(policy.restarts == 9)
    }

    @Test func aProcessThatNeverStartedBacksOffToo() throws {
        var policy = RestartPolicy(seed: 7, name: "payment-0")
        _ = policy.handle(.start)
        #expect(try wait(policy.handle(.exited(at: zero))) <= .milliseconds(100))
        #expect(policy.state == .backingOff)
    }

    @Test(arguments: [(9_999, false), (10_000, true)])
    func onlyAGoodRunMakesTheNextWaitShortAgain(milliseconds: Int, short: Bool) throws {
        var policy = RestartPolicy(seed: 7, name: "payment-0")
        _ = policy.handle(.start)
        for _ in 0..<4 {
            _ = policy.handle(.started(at: zero))
            _ = policy.handle(.exited(at: zero))
            _ = policy.handle(.timer)
        }
        _ = policy.handle(.started(at: zero))
        let delay = try wait(policy.handle(.exited(at: zero + .milliseconds(milliseconds))))
        #expect((delay <= .milliseconds(100)) == short)
    }

    @Test func stopWhileRunningWaitsForTheEnd() {
        var policy = RestartPolicy(seed: 1, name: "payment-0")
        _ = policy.handle(.start)
        _ = policy.handle(.started(at: zero))
        #expect(policy.handle(.stop) == .nothing)
        #expect(policy.state == .stopping)
        #expect(policy.handle(.exited(at: zero)) == .nothing)
        #expect(policy.state == .stopped)
    }

    @Test func stopDuringTheWaitIsTheEndAndALateTimerChangesNothing() {
        var policy = RestartPolicy(seed: 1, name: "payment-0")
        _ = policy.handle(.start)
        _ = policy.handle(.exited(at: zero))
        #expect(policy.handle(.stop) == .nothing)
        #expect(policy.state == .stopped)
        #expect(policy.handle(.timer) == .nothing)
        #expect(policy.state == .stopped)
    }

    @Test func stopWhileStartingHoldsThroughTheStart() {
        var policy = RestartPolicy(seed: 1, name: "payment-0")
        _ = policy.handle(.start)
        _ = policy.handle(.stop)
        #expect(policy.handle(.started(at: zero)) == .nothing)
        #expect(policy.handle(.exited(at: zero)) == .nothing)
        #expect(policy.state == .stopped)
    }

    @Test func oneSeedGivesOneRunAndEachReplicaHasItsOwn() throws {
        func waits(seed: UInt64, name: String) throws -> [Duration] {
            var policy = RestartPolicy(seed: seed, name: name)
            _ = policy.handle(.start)
            return try (0..<5).map { _ in
                let delay = try wait(policy.handle(.exited(at: zero)))
                _ = policy.handle(.timer)
                return delay
            }
        }
        #expect(try waits(seed: 3, name: "payment-0") == waits(seed: 3, name: "payment-0"))
        #expect(try waits(seed: 3, name: "payment-0") != waits(seed: 3, name: "payment-1"))
        #expect(try waits(seed: 3, name: "payment-0") != waits(seed: 4, name: "payment-0"))
    }

    /// Any events in any order: a spawn never meets a process that lives, waits stay within their bounds, and
    /// a stopped replica starts only when it is wanted again.
    @Test(arguments: UInt64(0)..<20)
    func invariantsHoldUnderRandomEvents(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var policy = RestartPolicy(seed: seed, name: "payment-0")
        var now = zero
        for _ in 0..<2000 {
            now += .milliseconds(Int.random(in: 0...8000, using: &generator))
            let events: [RestartPolicy.Event] = [
                .start, .started(at: now), .exited(at: now), .timer, .stop, .hold, .release,
            ]
            let event = events[Int.random(in: 0..<events.count, using: &generator)]
            let before = policy.state
            let restarts = policy.restarts
            switch policy.handle(event) {
            case .spawn:
                #expect(
                    before == .stopped && event == .start
                        || [.backingOff, .released].contains(before) && event == .timer)
                #expect(policy.state == .starting)
            case .wait(let delay):
                #expect(event == .exited(at: now))
                #expect(policy.state == .backingOff)
                #expect(delay >= .milliseconds(80) && delay <= RestartPolicy.maximumDelay)
            case .waitForRelease:
                #expect(policy.state == .held)
            case .end:
                #expect(policy.state == .ending && event != .timer)
            case .nothing:
                #expect(policy.state != .starting || before == .starting || before == .ending && event == .release)
                #expect(policy.state != .backingOff || before == .backingOff)
            }
            if before == .held { #expect(policy.state == .held || event == .release || event == .stop) }
            if before == .stopped, event != .start { #expect(policy.state == .stopped) }
            if event != .start { #expect(policy.restarts >= restarts) }
        }
    }
}
