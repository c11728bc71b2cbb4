import Experiments
import Foundation
import HTTPTypes
import Load
import Shared
import Testing

/// A load that does not lie. The server answers in 1 ms, but for 1 s in every 10. Of the users who come evenly, a tenth
/// come in that second and wait from 1 s to nothing: P(wait > x) = 0.1 (1 - x), so that p99 is 0.9 s and p99.9 is
/// 0.99 s, whatever the rate.
@Suite struct CoordinatedOmissionTests {
    private func summary(_ model: LoadPlan.Model) throws -> LoadSummary {
        let plan = try LoadPlan(
            model: model, seed: 5, runID: "stall",
            requests: [try RequestTemplate(name: "look", method: .get, url: "http://a/")])
        let session = LoadSession(plan, startNs: 0)
        VirtualLoop(answer: StallingServer.answer).run(session, fromNs: 0)
        return session.summary()
    }

    @Test(arguments: ArrivalSchedule.Arrivals.allCases, [(50.0, 600), (500, 120)])
    func theOpenModelSeesTheStall(arrivals: ArrivalSchedule.Arrivals, load: (rate: Double, seconds: Int)) throws {
        let schedule = try ArrivalSchedule(rate: load.rate, duration: .seconds(load.seconds), arrivals: arrivals)
        let summary = try summary(.open(schedule))
        #expect(abs(summary.p99Ms / 900 - 1) < 0.03, "\(summary.p99Ms)")
        #expect(abs(summary.p999Ms / 990 - 1) < 0.03, "\(summary.p999Ms)")
        #expect(summary.p50Ms < 5 && summary.maxMs <= 1001)
        #expect(summary.successRate == 1 && summary.lateSends == 0 && summary.dropped == 0)
    }

    /// Two users stand in line while it lasts: two requests of some eighteen thousand, twice.
    @Test func theClosedModelMissesIt() throws {
        let summary = try summary(.closed(users: 2, thinkTime: .zero, duration: .seconds(20)))
        #expect(summary.p99Ms < 5 && summary.p999Ms < 5)
        #expect(summary.maxMs > 900)
        #expect(summary.requests > 30_000)
    }
}
