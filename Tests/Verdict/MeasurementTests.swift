import Experiments
import Foundation
import Testing
import Verdict

@Suite struct MeasurementTests {
    @Test(
        arguments: [
            (0.0, PhaseName.warmUp), (1.999, .warmUp), (2, .baseline), (11.999, .baseline), (12, nil), (12.499, nil),
            (12.5, .fault), (42.6, nil), (43, .recovery), (62.999, .recovery), (63, nil),
        ] as [(Double, PhaseName?)])
    func samplesBelongToThePartTheyWereDueIn(seconds: Double, phase: PhaseName?) {
        #expect(Fixtures.clock.phase(at: Fixtures.at(seconds)) == phase)
    }

    @Test func anEmptyPartIsNotThere() {
        var clock = PhaseClock(startNs: 5)
        clock.set(.fault, from: 10, to: 10)
        clock.set(.recovery, from: 10, to: 9)
        #expect(clock.windows.isEmpty)
        #expect(PhaseSummary.all([], clock, startedAt: 0).isEmpty)
    }

    @Test func aSummaryCountsWhatTheUsersMet() {
        var samples = (1...96).map { Fixtures.sample(2, ms: Double($0)) }
        samples += [
            Fixtures.sample(2, ms: 5, .status(402)), Fixtures.sample(2, ms: 3000, .status(504), delayMs: 2),
            Fixtures.sample(2, ms: 4000, .connectionFailed), Fixtures.sample(2, ms: 10_000, .dropped),
        ]
        let summary = Fixtures.summary(samples)
        #expect(summary.requests == 100)
        #expect(summary.successRate == 0.97)
        #expect(summary.declined == 1)
        #expect(summary.throughputRps == 9.7)
        #expect(summary.lateSends == 1)
        #expect(summary.dropped == 1)
        let causes = summary.byCause
        #expect((causes.ok, causes.declined, causes.serverErrors, causes.connectionFailed) == (96, 1, 1, 1))
        #expect(causes.dropped == 1 && causes.requests == 100)
        // The 50th of 1, 2, 3, 4, 5, 5, 6, ...; failures are at the upper end and count there.
        #expect(abs(summary.p50Ms - 49) < 0.1)
        #expect(abs(summary.p95Ms - 94) < 0.1)
        #expect(abs(summary.p99Ms - 4000) < 4)
        #expect(abs(summary.maxMs - 10_000) < 10)
    }

    @Test(
        arguments: [
            (.status(200), "ok"), (.status(202), "ok"), (.status(402), "declined"), (.status(302), "client_errors"),
            (.status(404), "client_errors"), (.status(429), "client_errors"), (.status(500), "server_errors"),
            (.status(504), "server_errors"), (.timedOut, "timed_out"), (.connectionFailed, "connection_failed"),
            (.dropped, "dropped"),
        ] as [(RequestSample.Outcome, String)])
    func everyRequestHasOneCause(outcome: RequestSample.Outcome, cause: String) throws {
        let counts = RequestCounts([Fixtures.sample(2, outcome)])
        let members = try JSONDecoder().decode([String: Int].self, from: JSONEncoder().encode(counts))
        #expect(members.filter { $0.value > 0 } == [cause: 1] && counts.requests == 1)
        #expect(counts.successes == (Fixtures.sample(2, outcome).isSuccess ? 1 : 0))
    }

    @Test func repliesBelongToTheReplicaThatGaveThem() {
        let samples = Fixtures.load(2..<4, replica: "payment-1") + Fixtures.load(13..<15, failures: 20)
        let topology = RunTopology(services: [.init(name: "payment-service", replicas: ["payment-1"])])
        let replicas = ReplicaSummary.all(samples, Fixtures.clock, topology)
        #expect(replicas.map(\.replica) == ["payment-1"] && replicas.map(\.phase) == [.baseline])
        #expect(replicas.first?.requests == 40 && replicas.first?.service == "payment-service")
        #expect(RunTopology().service(of: "stock-12") == "stock" && RunTopology().service(of: "gateway") == "gateway")
    }

    @Test func aSummaryOfNothingIsNothing() {
        let summary = Fixtures.summary([])
        #expect(summary.requests == 0)
        #expect(summary.p99Ms == 0 && summary.maxMs == 0 && summary.throughputRps == 0)
    }

    @Test func percentilesAreThoseOfTheSortedLatencies() {
        var generator = SeededGenerator(seed: 3)
        for _ in 0..<50 {
            let latencies = (0..<Int.random(in: 1...3000, using: &generator)).map { _ in
                Double.random(in: 0.01...20_000, using: &generator)
            }
            let summary = Fixtures.summary(latencies.map { Fixtures.sample(2, ms: $0) })
            let sorted = latencies.sorted()
            for (percentile, value) in [(50.0, summary.p50Ms), (90, summary.p90Ms), (99, summary.p99Ms)] {
                let exact = sorted[max(0, Int((percentile / 100 * Double(sorted.count)).rounded(.up)) - 1)]
                #expect(abs(value - exact) <= exact * 0.002 + 0.002)
            }
        }
    }

    @Test func partsKnowWhenTheyWere() {
        let samples = Fixtures.load(0..<70)
        let phases = PhaseSummary.all(samples, Fixtures.clock, startedAt: 1000)
        #expect(phases.map(\.name) == [.baseline, .fault, .recovery])
        #expect(phases.map(\.startedAt) == [1002, 1012.5, 1043])
        #expect(phases.map(\.durationS) == [10, 30, 20])
        #expect(phases.map(\.requests) == [200, 600, 400])
    }

    @Test func theSeriesHasEverySecond() {
        let samples = Fixtures.load(0..<2) + Fixtures.load(4..<5, ms: 30, failures: 5)
        let series = SeriesPoint.series(samples.shuffled(), Fixtures.clock)
        #expect(series.map(\.t) == [0, 1, 2, 3, 4])
        #expect(series.map(\.requests) == [20, 20, 0, 0, 20])
        #expect(series.map(\.counts.ok) == [20, 20, 0, 0, 15])
        #expect(series.map(\.counts.timedOut) == [0, 0, 0, 0, 5])
        #expect(series.map(\.phase) == [.warmUp, .warmUp, .baseline, .baseline, .baseline])
        #expect(series.last?.p50Ms == 30)
        #expect(series.last?.p95Ms == 10_000)
        #expect(SeriesPoint.series([], Fixtures.clock).isEmpty)
    }

    @Test func degradationIsDuringOverBefore() {
        let before = Fixtures.summary(Fixtures.load(2..<12))
        let during = Fixtures.summary(Fixtures.load(13..<23, ms: 50), name: .fault)
        let factors = Degradation(baseline: before, fault: during)
        #expect(abs((factors.p50 ?? 0) - 5) < 0.02)
        #expect(Degradation(baseline: before, fault: nil).p95 == nil)
        #expect(Degradation(baseline: before, fault: Fixtures.summary([])).p95 == nil)
    }
}
