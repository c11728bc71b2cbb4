import TestSupport
import Testing

@testable import Shared

@Suite("Retries")
struct RetryTests {
    private let policy = RetryPolicy(
        maxAttempts: 5, attemptTimeout: .seconds(1), firstDelay: .milliseconds(100), longestDelay: .milliseconds(300))

    @Test("wait between nothing and a bound that doubles up to the longest", arguments: [(2, 100), (3, 200), (4, 300)])
    func backOff(attempt: Int, bound: Int) {
        var draws = SeededDraws(seed: 11)
        let delays = (0..<2000).map { _ in policy.delay(beforeAttempt: attempt, using: &draws) }
        #expect(delays.allSatisfy { $0 >= .zero && $0 <= .milliseconds(bound) })
        // Full jitter draws from the whole range: its mean is half the bound, and its ends are reached.
        let mean = delays.reduce(.zero, +).seconds / 2000
        #expect(abs(mean - Double(bound) / 2000) < Double(bound) / 20_000)
        #expect(delays.contains { $0 < .milliseconds(bound / 10) })
        #expect(delays.contains { $0 > .milliseconds(bound * 9 / 10) })
    }

    @Test("draw alike from one seed, and differently from another")
    func seeded() {
        func delays(_ seed: UInt64) -> [Duration] {
            var draws = SeededDraws(seed: seed)
            return (2...6).map { policy.delay(beforeAttempt: $0, using: &draws) }
        }
        #expect(delays(3) == delays(3))
        #expect(delays(3) != delays(4))
    }

    @Test("wait at least as long as the server asks, unless they are eager")
    func hint() {
        var draws = SeededDraws(seed: 1)
        #expect(RetryPolicy.careful.delay(beforeAttempt: 2, hint: .seconds(3), using: &draws) == .seconds(3))
        #expect(RetryPolicy.eager.delay(beforeAttempt: 2, hint: .seconds(3), using: &draws) == .zero)
    }

    @Test("end with the attempts, the time, or the budget")
    func ends() {
        var draws = SeededDraws(seed: 1)
        var loop = RetryLoop(policy)
        for _ in 2...5 {
            let action = loop.failed(remaining: .seconds(9), using: &draws) { true }
            #expect(action != .giveUp)
        }
        #expect(loop.attempt == 5)
        let last = loop.failed(remaining: .seconds(9), using: &draws) {
            Issue.record("asked for a token that it cannot use")
            return true
        }
        #expect(last == .giveUp)

        var late = RetryLoop(policy)
        let noTime = late.failed(remaining: .zero, using: &draws) {
            Issue.record("asked for a token that it cannot use")
            return true
        }
        #expect(noTime == .giveUp)
        var poor = RetryLoop(policy)
        let noToken = poor.failed(remaining: .seconds(9), using: &draws) { false }
        #expect(noToken == .giveUp && poor.attempt == 1)
    }
}

@Suite("The retry budget")
struct RetryBudgetTests {
    private let start = ContinuousClock.now

    @Test("allows a share of the calls, whatever fails")
    func share() {
        var budget = RetryBudget(ratio: 0.2, floor: 0, capacity: 10, at: start)
        while budget.take(at: start) {}
        var retries = 0
        for _ in 0..<1000 {
            budget.called(at: start)
            // Every call would be tried four times more.
            for _ in 0..<4 where budget.take(at: start) { retries += 1 }
        }
        // Sums of fifths are not exact: one token more or less.
        #expect((199...201).contains(retries))
    }

    @Test("allows a quiet caller its floor, and no more than its capacity after a calm")
    func floor() {
        var budget = RetryBudget(ratio: 0.2, floor: 1, capacity: 10, at: start)
        func taken(at instant: ContinuousClock.Instant) -> Int {
            var count = 0
            while budget.take(at: instant) { count += 1 }
            return count
        }
        #expect(taken(at: start) == 10)
        #expect(taken(at: start + .milliseconds(900)) == 0)
        #expect(taken(at: start + .milliseconds(3000)) == 3)
        #expect(taken(at: start + .seconds(3600)) == 10)
        // A clock that is read in another order takes nothing away.
        #expect(taken(at: start) == 0)
    }
}
