import Experiments
import Foundation

@testable import Verdict

/// A run of a system that is known, with the noise that real ones have: latencies with a long tail, seconds that are
/// alike when they follow each other, and now and then a failure.
struct SimulatedRun {
    var addedMs = 0.0
    var failureShare = 0.005
    /// How much a second's slowness leans on that of the second before, 0 to 1.
    var correlation = 0.5
    var requestsPerSecond = 20
    /// Where ``addedMs`` and ``failureShare`` act; the rest is as without them.
    var phases: Set<PhaseName> = [.baseline, .fault, .recovery]

    func journal(seed: UInt64) -> Journal {
        var generator = SeededGenerator(seed: seed, purpose: "simulated run")
        var samples: [RequestSample] = []
        var slowness = 0.0
        let clock = Fixtures.clock
        for second in 0..<63 {
            let fresh = (1 - correlation * correlation).squareRoot() * normal(&generator)
            slowness = correlation * slowness + fresh
            for index in 0..<requestsPerSecond {
                let due = Double(second) + Double(index) / Double(requestsPerSecond)
                let isHere = clock.phase(at: Fixtures.at(due)).map(phases.contains) ?? false
                let isSlow = Double.random(in: 0..<1, using: &generator) < 0.02
                let own = exp(0.35 * normal(&generator) + 0.15 * slowness) * 10 * (isSlow ? 4 : 1)
                let fails = Double.random(in: 0..<1, using: &generator) < (isHere ? failureShare : 0.005)
                samples.append(
                    Fixtures.sample(due, ms: own + (isHere ? addedMs : 0), fails ? .status(503) : .status(200)))
            }
        }
        var journal = JournalTests.journal
        journal.runID = "RUN-\(seed)"
        journal.phases = PhaseSummary.all(samples, Fixtures.clock, startedAt: journal.startedAt)
        journal.series = SeriesPoint.series(samples, Fixtures.clock)
        return journal
    }

    /// Box and Muller's.
    private func normal(_ generator: inout SeededGenerator) -> Double {
        let (u, v) = (Double.random(in: 1e-12..<1, using: &generator), Double.random(in: 0..<1, using: &generator))
        return (-2 * log(u)).squareRoot() * cos(2 * .pi * v)
    }
}
