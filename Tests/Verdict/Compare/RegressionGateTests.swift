import Testing

@testable import Verdict

@Suite struct RegressionGateTests {
    private static let slower = RunComparison(
        SimulatedRun().journal(seed: 1), SimulatedRun(addedMs: 20, phases: [.fault]).journal(seed: 2), seed: 1,
        resamples: 40)
    private static let same = RunComparison(
        SimulatedRun().journal(seed: 1), SimulatedRun().journal(seed: 2), seed: 1, resamples: 40)

    private func trips(_ gate: String, _ comparison: RunComparison = RegressionGateTests.slower) throws -> Bool {
        try #require(RegressionGate.judge([RegressionGate(gate)], comparison).first).isTripped
    }

    @Test(arguments: [
        ("p50:+20%", true), ("p50:+5ms", true), ("p50:+1s", false), ("p50:+1000%", false), ("p50:-20%", false),
        ("baseline.p50:+0%", false), ("recovery.p50:+0%", false), ("fault.p50:+10%", true), ("any", true),
        ("success:-1%", false), ("throughput:-5%", false), ("throughput:-3/s", false),
    ])
    func gates(gate: String, isTripped: Bool) throws {
        #expect(try trips(gate) == isTripped)
    }

    @Test func noiseTripsNothing() throws {
        let gates = try ["any", "p50:+0%", "p95:+0%", "p99:+0%", "success:-0%", "p99:-0%"].map {
            try RegressionGate($0)
        }
        for finding in RegressionGate.judge(gates, Self.same) { #expect(!finding.isTripped, "\(finding)") }
    }

    @Test func whatWasNotMeasuredIsNotWell() throws {
        var journal = SimulatedRun().journal(seed: 1)
        journal.phases = []
        #expect(try trips("p99:+20%", RunComparison(journal, journal)))
    }

    @Test func recovery() throws {
        func comparison(_ a: Int?, _ b: Int?) -> RunComparison {
            var (first, second) = (SimulatedRun().journal(seed: 1), SimulatedRun().journal(seed: 1))
            first.recovery.timeToRecoverMs = a
            second.recovery.timeToRecoverMs = b
            return RunComparison(first, second, seed: 1, resamples: 40)
        }
        #expect(try trips("recovery:+2s", comparison(1000, 4000)))
        #expect(try !trips("recovery:+5s", comparison(1000, 4000)))
        #expect(try !trips("recovery:+0%", comparison(1000, 2000)), "the grain is a second")
        #expect(try trips("recovery:+20%", comparison(1000, nil)))
        #expect(try !trips("recovery:+20%", comparison(nil, 1000)))
    }

    @Test(arguments: [
        "", "p99", "p99:", "p99:20%", "p99:+20", "p99:+%", "p99:+-20%", "p98:+20%", "before.p99:+20%", "a.b.p99:+20%",
        "success:-1pt", "success:-5ms", "throughput:-5ms", "p99:+nan%", "p99:+1e3%", "p99:+20%:x", "warm_up.p99:+20%",
    ])
    func whatIsNoGate(text: String) {
        #expect(throws: RegressionGate.Malformed.self) { try RegressionGate(text) }
    }
}
