import Experiments
import Foundation
import Testing

@testable import Verdict

@Suite struct EffectTests {
    /// Thirty requests a second whose latencies are drawn; a tenth of the seconds is slow as a whole, as under a pause.
    private func load(
        _ seconds: Range<Int>, seed: UInt64, addedMs: Double = 0, failing: Double = 0
    ) -> [RequestSample] {
        var generator = SeededGenerator(seed: seed)
        return seconds.flatMap { second in
            let pauseMs = Int.random(in: 0..<10, using: &generator) == 0 ? 40.0 : 0
            return (0..<30).map { index in
                let draw = Double.random(in: 0.001..<1, using: &generator)
                let fails = Double.random(in: 0..<1, using: &generator) < failing
                return Fixtures.sample(
                    Double(second) + Double(index) / 30, ms: 8 - 4 * log(draw) + pauseMs + addedMs,
                    fails ? .status(502) : .status(200))
            }
        }
    }

    private func effects(_ samples: [RequestSample], seed: UInt64 = 7) -> [Effect] {
        RunAnalysis(
            .init(
                samples: samples, clock: Fixtures.clock, startedAt: 1000, removedNs: Fixtures.at(43),
                topology: RunTopology(), seed: seed)
        ).effects
    }

    @Test func whatTheFaultDidIsFound() throws {
        let samples =
            load(0..<12, seed: 1) + load(12..<43, seed: 2, addedMs: 20, failing: 0.3) + load(43..<63, seed: 3)
        let effects = effects(samples)
        #expect(effects.count == 10)
        let fault = effects.filter { $0.phase == .fault }
        #expect(fault.map(\.metric) == Effect.Metric.allCases)
        for effect in fault {
            #expect(effect.low <= effect.difference && effect.difference <= effect.high)
            #expect(abs(effect.value - effect.baseline - effect.difference) < 1e-9)
        }
        let success = try #require(fault.first { $0.metric == .successRate })
        #expect(success.differs && (-0.4 ... -0.2).contains(success.difference) && success.high < -0.2)
        let median = try #require(fault.first { $0.metric == .p50Ms })
        #expect(median.differs && median.low < 20 && median.high > 20 && median.low > 5, "\(median)")
        #expect(try #require(fault.first { $0.metric == .throughputRps }).differs)
        // The same seed draws the same.
        #expect(self.effects(samples) == effects)
    }

    /// Though pauses are rare: a baseline that has met none does not know of them.
    @Test func identicalPartsStayQuiet() async {
        var flagged: [Effect.Metric: Int] = [:]
        for seed in 0..<10 as Range<UInt64> {
            // Tests beside it hold real connections, whose clocks go on.
            await Task.yield()
            let samples = load(0..<63, seed: 100 + seed)
            for effect in effects(samples, seed: seed) where effect.differs { flagged[effect.metric, default: 0] += 1 }
        }
        // Of 20 comparisons a metric, each wrong once in a hundred.
        for (metric, count) in flagged { #expect(count <= 2, "\(metric)") }
        #expect(flagged[.successRate] == nil && flagged[.throughputRps] == nil)
    }

    @Test func latenciesThatAreAllAlikeDifferByWhatTheyDo() throws {
        let samples = Fixtures.load(0..<12, ms: 10) + Fixtures.load(12..<43, ms: 30) + Fixtures.load(43..<63, ms: 10)
        let fault = try #require(effects(samples).first { $0.metric == .p50Ms })
        #expect(abs(fault.low - 20) < 0.1 && abs(fault.high - 20) < 0.1 && fault.differs)
        let after = try #require(effects(samples).last { $0.metric == .p50Ms })
        #expect(abs(after.difference) < 0.1 && !after.differs)
    }

    @Test func aTrifleIsNoDifference() throws {
        let samples = Fixtures.load(0..<12, ms: 10) + Fixtures.load(12..<43, ms: 10.8)
        let fault = try #require(effects(samples).first { $0.metric == .p50Ms })
        #expect(fault.low > 0.7 && !fault.differs)
    }

    @Test func tooLittleSaysNothing() {
        var clock = PhaseClock(startNs: Fixtures.start)
        clock.set(.baseline, from: Fixtures.at(0), to: Fixtures.at(4.9))
        clock.set(.fault, from: Fixtures.at(5), to: Fixtures.at(15))
        let input = RunAnalysis.Input(
            samples: Fixtures.load(0..<15), clock: clock, startedAt: 0, removedNs: nil, topology: RunTopology(), seed: 1
        )
        #expect(RunAnalysis(input).effects.isEmpty)
        #expect(
            RunAnalysis(
                .init(
                    samples: [], clock: Fixtures.clock, startedAt: 0, removedNs: nil, topology: RunTopology(), seed: 1)
            ).effects.isEmpty)
    }

    /// Against tables of Student's distribution.
    @Test(
        arguments: [
            (4, .percent95, 2.776), (9, .percent95, 2.262), (29, .percent95, 2.045),
            (4, .percent99, 4.604), (9, .percent99, 3.250), (29, .percent99, 2.756),
        ] as [(Double, BlockBootstrap.Confidence, Double)])
    func fewSecondsWidenTheInterval(freedom: Double, confidence: BlockBootstrap.Confidence, quantile: Double) {
        let approximate = BlockBootstrap.student(confidence.quantile, freedom: freedom)
        #expect(abs(approximate - quantile) < 0.02 * quantile)
        let tail = BlockBootstrap.tail(seconds: Int(freedom) + 1, confidence)
        #expect(tail < (confidence == .percent95 ? 0.025 : 0.005))
    }

    @Test func theReplicaWhereTheDifferenceLiesIsNamed() throws {
        let topology = RunTopology(
            services: [.init(name: "payment-service", replicas: ["payment-0", "payment-1", "payment-2"])])
        func run(slow: Set<Int>, failing: Set<Int> = []) -> [ReplicaFinding] {
            var samples: [RequestSample] = []
            for replica in 0..<3 {
                let isSlow = slow.contains(replica)
                let fails = failing.contains(replica) ? 0.2 : 0
                let part =
                    load(0..<12, seed: UInt64(replica))
                    + load(12..<43, seed: UInt64(10 + replica), addedMs: isSlow ? 300 : 0, failing: fails)
                    + load(43..<63, seed: UInt64(20 + replica))
                samples += part.map {
                    RequestSample(
                        endpoint: $0.endpoint, intendedNs: $0.intendedNs, sendDelayNs: 0, latencyNs: $0.latencyNs,
                        outcome: $0.outcome, replica: "payment-\(replica)")
                }
            }
            let analysis = RunAnalysis(
                .init(
                    samples: samples, clock: Fixtures.clock, startedAt: 0, removedNs: Fixtures.at(43),
                    topology: topology, seed: 3))
            #expect(analysis.replicas.count == 9)
            return analysis.replicaFindings
        }
        #expect(run(slow: []).isEmpty)
        #expect(run(slow: [0, 1, 2]).isEmpty, "all alike")
        let one = try #require(run(slow: [1]).first)
        #expect(
            one.replica == "payment-1" && one.phase == .fault && one.metric == .p95Ms && one.value > one.peers + 200)
        #expect(one.text.hasPrefix("payment-1 had a p95 of 3"))
        #expect(
            run(slow: [1, 2]).map(\.replica).sorted() == ["payment-1", "payment-2"], "against the best, not the mass")
        let failing = run(slow: [], failing: [0])
        #expect(failing.map(\.replica) == ["payment-0"] && failing.map(\.metric) == [.successRate])
    }

    @Test func aBacklogIsDrainedWhenNoMoreWaitsThanBefore() {
        func samples(_ totals: [Int]) -> [BacklogSample] {
            totals.enumerated().map { BacklogSample(t: Double($0.offset), pendingPayments: $0.element, outbox: 0) }
        }
        let drained = { Backlog.drainedMs(samples($0), baseline: 2...4.5, removedAt: 8.5) }
        #expect(drained([9, 9, 0, 2, 1, 7, 8, 9, 9, 6, 3, 2, 0]) == 2500)
        #expect(drained([0, 0, 0, 0, 0, 0, 0, 0, 0, 0]) == 500)
        #expect(drained([0, 0, 0, 0, 0, 9, 9, 9, 9, 9, 9]) == nil)
        #expect(Backlog.drainedMs([], baseline: 0...1, removedAt: 1) == nil)
        #expect(Backlog.drainedMs(samples([0]), baseline: 5...6, removedAt: 0) == nil, "nobody looked before")
    }
}
