import Foundation
import Load
import Shared
import Testing

@testable import ScenarioRunner

/// What pages that open later are told of the last minutes.
@Suite struct LiveHistoryTests {
    private let live = LiveHistory(events: EventHub())

    private static func second(_ time: Double, of run: String = "RUN-1") -> LiveWindow.Second {
        LiveWindow.Second(
            time: time, runID: run, phase: nil, requests: 1, successRate: 1, declined: 0, p50Ms: 1, p95Ms: 1, p99Ms: 1)
    }

    private static func modes(declining percent: Double) -> FailureModes {
        var modes = FailureModes.off
        modes.cardDeclineEnabled = percent > 0
        modes.cardDeclineProbability = percent
        return modes
    }

    @Test func fiveMinutesAreKeptHoweverManyLoadsThereAre() {
        let runs = ["RUN-1", "RUN-2", "RUN-3", "LOAD-1", "LOAD-2"]
        for time in 0...1000 { for run in runs { live.add(Self.second(Double(time), of: run)) } }
        let seconds = live.recent(at: 1000).seconds
        for run in runs { #expect(seconds.filter { $0.runID == run }.map(\.time) == (700...1000).map(Double.init)) }
        #expect(live.recent(at: 1100).seconds.first?.time == 800, "also while nothing is measured")
        #expect(live.recent(at: 2000).seconds.isEmpty)
    }

    @Test func thereIsALimit() {
        for _ in 0..<LiveHistory.maxSeconds + 10 { live.add(Self.second(5)) }
        for number in 0..<LiveHistory.maxMarks + 10 { live.mark(Self.modes(declining: Double(number)), at: 5) }
        let (seconds, marks) = live.recent(at: 5)
        #expect(seconds.count == LiveHistory.maxSeconds && marks.count == LiveHistory.maxMarks)
    }

    @Test func whatWasSwitchedOnBeforeTheWindowIsStillKnown() {
        for (time, percent) in [(10.0, 10.0), (20, 20), (400, 0), (500, 50)] {
            live.mark(Self.modes(declining: percent), at: time)
        }
        func percents(at now: Double) -> [Double] {
            live.recent(at: now).marks.map(\.failureModes.cardDeclineProbability)
        }
        #expect(percents(at: 600) == [20, 0, 50], "at 300, 20 percent were declined")
        #expect(percents(at: 710) == [0, 50])
        #expect(percents(at: 9000) == [50])
    }

    @Test func eachChangeIsAMarkAndNothingElse() {
        let store = FailureModesStore(seed: 1, onChange: { [live] in live.mark($0) })
        store.change { $0 = Self.modes(declining: 20) }
        store.change { $0 = Self.modes(declining: 20) }
        store.changeResilience { $0 = ResilienceSettings(.hardened) }
        store.change { $0 = .off }
        #expect(live.recent(at: UnixTime.now.seconds).marks.map(\.failureModes) == [Self.modes(declining: 20), .off])
    }

    @Test func aLocustCountsFromItsStart() throws {
        func heard(_ requests: Int, _ failures: Int, at time: Double) throws -> LocustSecond {
            try FakeLocust.report(requests: requests, failures: failures).second(at: time)
        }
        let first = try heard(40, 10, at: 1)
        let begun = try #require(LiveWindow.Second(first, before: nil, of: "LOAD-1"))
        #expect(begun.requests == 40 && begun.successRate == 0.75 && begun.runID == "LOAD-1")
        let next = try #require(LiveWindow.Second(heard(90, 10, at: 2), before: first, of: "LOAD-1"))
        #expect(next.requests == 50 && next.successRate == 1 && next.time == 2)
        let idle = try #require(LiveWindow.Second(first, before: first, of: "LOAD-1"))
        #expect(idle.requests == 0 && idle.successRate == nil)
        #expect(try LiveWindow.Second(heard(5, 0, at: 3), before: first, of: "LOAD-1") == nil, "it counts anew")
    }
}
