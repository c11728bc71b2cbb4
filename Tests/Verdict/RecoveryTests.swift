import Experiments
import Testing

@testable import Verdict

@Suite struct RecoveryTests {
    /// Baseline of 100 % and a p95 of 10 ms: good is 99 % and 60 ms.
    private let recovery = Recovery(baseline: Fixtures.summary(Fixtures.load(2..<12)))

    /// The recovery time for seconds after the removal, told as one word each.
    private func time(_ seconds: [String], removed: Double = 43, cut: Double = 0) -> Int? {
        var samples = Fixtures.load(0..<43, ms: 5000, failures: 20)
        for (index, word) in seconds.enumerated() {
            let from = removed + Double(index)
            let count = word == "none" ? 0 : 200
            samples += (0..<count).map { number in
                let due = from + Double(number) / 200
                switch word {
                case "fails": return Fixtures.sample(due, .status(502))
                case "some": return Fixtures.sample(due, number < 3 ? .timedOut : .status(200))
                case "few": return Fixtures.sample(due, number < 2 ? .status(500) : .status(402))
                case "slow": return Fixtures.sample(due, ms: 61)
                case "fair": return Fixtures.sample(due, ms: 60)
                default: return Fixtures.sample(due)
                }
            }
        }
        let end = Fixtures.at(removed + Double(seconds.count) - cut)
        return recovery.timeMs(samples, removedNs: Fixtures.at(removed), endNs: end)
    }

    @Test(
        arguments: [
            (["good", "good", "good"], 0), (["fails", "good", "good", "good", "fails"], 1000),
            (["good", "good", "fails", "good", "good", "good"], 3000),
            (["fails", "slow", "fair", "fair", "fair"], 2000),
            (["some", "few", "few", "few"], 1000), (["good", "none", "good", "good", "good"], 2000),
            (["good", "good"], nil), (["none", "none", "none", "none"], nil),
            (["good", "good", "slow", "good", "good"], nil),
            ([], nil),
        ] as [([String], Int?)])
    func threeGoodSecondsInARow(seconds: [String], expected: Int?) {
        #expect(time(seconds) == expected)
    }

    @Test func secondsCountFromTheRemovalNotFromTheClock() {
        #expect(time(["fails", "good", "good", "good"], removed: 43.25) == 1000)
    }

    @Test func aSecondCutShortIsNotJudged() {
        #expect(time(["good", "good", "good"], cut: 0.5) == nil)
    }

    @Test func aSlowBaselineMayBeTwiceAsSlow() {
        let slow = Recovery(baseline: Fixtures.summary(Fixtures.load(2..<12, ms: 200)))
        let (removed, end) = (Fixtures.at(43), Fixtures.at(46))
        #expect(slow.timeMs(Fixtures.load(43..<46, ms: 399), removedNs: removed, endNs: end) == 0)
        #expect(slow.timeMs(Fixtures.load(43..<46, ms: 401), removedNs: removed, endNs: end) == nil)
    }

    @Test func detectedIsTheFirstSecondInWhichUsersSuffer() {
        let seconds = { (samples: [RequestSample]) in
            recovery.seconds(samples, from: Fixtures.at(12.5), to: Fixtures.at(15.5))
        }
        func due(_ second: Double, ms: Double = 10, fails: Bool = false) -> [RequestSample] {
            (0..<20).map {
                Fixtures.sample(12.5 + second + Double($0) / 20, ms: ms, fails ? .status(500) : .status(200))
            }
        }
        #expect(Recovery.detectionMs(seconds(due(0) + due(1) + due(2))) == nil)
        #expect(Recovery.detectionMs(seconds(due(0) + due(1, ms: 61) + due(2))) == 1000)
        #expect(Recovery.detectionMs(seconds(due(0, fails: true))) == 0)
        // A second without requests tells nothing of users.
        #expect(Recovery.detectionMs(seconds(due(0) + due(2, fails: true))) == 2000)
        #expect(Recovery.detectionMs([]) == nil)
    }

    @Test func nothingBeforeTheRemovalCounts() {
        #expect(recovery.timeMs([], removedNs: 10, endNs: 5) == nil)
        let samples = Fixtures.load(0..<43)
        #expect(recovery.timeMs(samples, removedNs: Fixtures.at(43), endNs: Fixtures.at(63)) == nil)
    }
}
