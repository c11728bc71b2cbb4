import Experiments
import Foundation
import Testing

@testable import Verdict

@Suite struct ComparisonTests {
    private func compare(_ a: Journal, _ b: Journal, resamples: Int = 40) -> RunComparison {
        RunComparison(a, b, seed: 1, resamples: resamples)
    }

    /// Counts, and lets others work between two pairs: tests beside it hold real connections, whose clocks go on.
    private func count(_ pairs: Range<UInt64>, where isFlagged: (UInt64) -> Bool) async -> Int {
        var count = 0
        for pair in pairs {
            if isFlagged(pair) { count += 1 }
            await Task.yield()
        }
        return count
    }

    @Test func twentyPairsOfOneSystemStayQuiet() async {
        let flagged = await count(UInt64(0)..<20) { pair in
            compare(SimulatedRun().journal(seed: 2 * pair), SimulatedRun().journal(seed: 2 * pair + 1)).differs
        }
        #expect(flagged <= 1)
    }

    @Test func twentyMillisecondsAreSeenEveryTime() async {
        for pair in UInt64(0)..<20 {
            await Task.yield()
            let slower = SimulatedRun(addedMs: 20, phases: [.fault])
            let comparison = compare(SimulatedRun().journal(seed: 2 * pair), slower.journal(seed: 2 * pair + 1))
            let flagged = comparison.lines.filter(\.differs)
            #expect(flagged.contains { $0.metric == .p50 && $0.phase == .fault }, "pair \(pair)")
            #expect(flagged.allSatisfy { $0.phase == .fault }, "pair \(pair)")
        }
    }

    /// The rule without the room that it leaves for trifles: the chance that anything at all differs is 5 % at most, also
    /// where seconds are much alike. Of 100 pairs, 12 or more would come once in two hundred times.
    @Test(arguments: [0, 0.6])
    func theFamilyOfAllNumbersIsKept(correlation: Double) async {
        let system = SimulatedRun(correlation: correlation)
        let flagged = await count(UInt64(0)..<100) { pair in
            let comparison = compare(system.journal(seed: 1000 + 2 * pair), system.journal(seed: 1001 + 2 * pair))
            return comparison.lines.contains { $0.familyChance <= RunComparison.familyWiseError }
        }
        #expect(flagged < 12)
    }

    @Test func lostUsersAreSeen() throws {
        let worse = SimulatedRun(failureShare: 0.2, phases: [.fault]).journal(seed: 2)
        let comparison = compare(SimulatedRun().journal(seed: 1), worse, resamples: 400)
        let line = try #require(comparison.line(.success, .fault))
        #expect(line.differs && line.difference < -0.1 && line.low < line.difference && line.high > line.difference)
        #expect(line.high < 0 && line.unit == "share")
        let recovery = try #require(comparison.line(.success, .recovery))
        #expect(!recovery.differs)
        #expect(comparison.sentence.contains("success fault"))
    }

    @Test func theValuesAreThoseOfTheJournals() throws {
        let (a, b) = (SimulatedRun().journal(seed: 1), SimulatedRun().journal(seed: 2))
        let comparison = compare(a, b)
        #expect(comparison.lines.count == 15)
        let line = try #require(comparison.line(.p95, .recovery))
        #expect(line.a == a.phase(.recovery)?.p95Ms && line.b == b.phase(.recovery)?.p95Ms)
        #expect(line.difference == line.b - line.a && (line.low...line.high).contains(line.difference))
        #expect(comparison.line(.throughput, .fault)?.a == a.phase(.fault)?.throughputRps)
    }

    @Test func aRunIsLikeItself() {
        let journal = SimulatedRun().journal(seed: 3)
        let comparison = compare(journal, journal)
        #expect(!comparison.differs && comparison.lines.allSatisfy { $0.chance == 1 && $0.difference == 0 })
        #expect(comparison.notes.isEmpty)
    }

    @Test func theSeedDecidesTheIntervals() {
        let (a, b) = (SimulatedRun().journal(seed: 1), SimulatedRun().journal(seed: 2))
        #expect(RunComparison(a, b, seed: 5, resamples: 200) == RunComparison(a, b, seed: 5, resamples: 200))
        #expect(
            RunComparison(a, b, seed: 5, resamples: 200).lines.map(\.low)
                != RunComparison(a, b, seed: 6, resamples: 200).lines.map(\.low))
    }

    @Test func whatIsNotComparableIsSaid() {
        let a = SimulatedRun().journal(seed: 1)
        var b = a
        b.experiment = "another"
        b.input.rateRps = 99
        b.input.recoveryS = 1
        b.input.resilience = "hardened"
        b.verdict = .invalid
        b.series = b.series.filter { $0.phase != .fault || $0.t < 16 }
        let comparison = compare(a, b)
        #expect(comparison.line(.p50, .fault) == nil, "too few seconds")
        let notes = comparison.notes.joined(separator: "\n")
        let words = [
            "different experiments", "different rates", "different times", "different resilience", "invalid",
            "not compared",
        ]
        for word in words {
            #expect(notes.contains(word), "\(word)")
        }
        b.phases = []
        #expect(compare(a, b).lines.isEmpty && compare(a, b).sentence == "nothing could be compared")
    }

    @Test func tableAndPageSayTheSame() throws {
        let (a, b) = (
            SimulatedRun().journal(seed: 1), SimulatedRun(addedMs: 20, phases: [.fault]).journal(seed: 2)
        )
        let comparison = compare(a, b)
        let findings = RegressionGate.judge([try RegressionGate("p50:+20%")], comparison)
        let table = ComparisonTable.render(comparison, gates: findings)
        #expect(table.contains("fault p50") && table.contains("DIFFERS") && table.contains("p50:+20% TRIPPED"))
        #expect(table.split(separator: "\n").allSatisfy { !$0.hasSuffix(" ") })
        let page = ComparisonPage(a, b, comparison, gates: findings).html
        #expect(page.contains("data-key=\"a\"") && page.contains("data-key=\"b\"") && page.contains("tripped"))
        let json = try JSONDecoder().decode(RunComparison.self, from: comparison.json(gates: findings))
        #expect(json == comparison)
    }
}

@Suite struct ComparisonArithmeticTests {
    /// From the tables of the t distribution.
    @Test(arguments: [
        (12.706, 1.0, 0.05), (4.303, 2, 0.05), (2.228, 10, 0.05), (3.169, 10, 0.01), (1.96, 1e6, 0.05), (0, 5, 1),
    ])
    func student(t: Double, freedom: Double, chance: Double) {
        #expect(abs(StudentDistribution.twoSided(t, freedom: freedom) - chance) < 0.0002)
        #expect(abs(StudentDistribution.twoSided(-t, freedom: freedom) - chance) < 0.0002)
    }

    @Test func holmOrdersTheChances() {
        #expect(RunComparison.holm([0.01, 0.04, 0.03]) == [0.03, 0.06, 0.06])
        #expect(RunComparison.holm([0.5, 0.9]) == [1, 1] && RunComparison.holm([]).isEmpty)
    }

    @Test func secondsThatAreAlikeAreWorthLess() {
        var generator = SeededGenerator(seed: 4)
        let independent = (0..<200).map { _ in Double.random(in: 0...1, using: &generator) }
        let alike = (0..<200).map { independent[$0 / 10] }
        let loose = SecondSample(independent, correlation: SecondSample.correlation(in: [independent]))
        let close = SecondSample(alike, correlation: SecondSample.correlation(in: [alike]))
        #expect(loose.worth > 150 && close.worth < 30 && close.blockLength > loose.blockLength)
        #expect(SecondSample.correlation(in: [[1, 1, 1], [2]]) == 0 && SecondSample.correlation(in: []) == 0)
        for sample in [close, SecondSample([1, 2, 3, 4, 5], correlation: 0.9)] {
            let places = sample.resample(&generator)
            #expect(places.count == sample.values.count && places.allSatisfy(sample.values.indices.contains))
        }
    }

    @Test func whatNeverVariesDiffersOrDoesNot() {
        let one = SecondSample([1, 1, 1, 1, 1], correlation: 0)
        let two = SecondSample([2, 2, 2, 2, 2], correlation: 0)
        #expect(SecondSample.chance(one, one) == 1 && SecondSample.chance(one, two) == 0)
    }

    @Test func trifles() {
        #expect(CompareMetric.p50.trifle.covers(10, 12.9), "less than 3 ms")
        #expect(CompareMetric.p50.trifle.covers(100, 119) && !CompareMetric.p50.trifle.covers(100, 121))
        #expect(CompareMetric.success.trifle.covers(1, 0.991) && !CompareMetric.success.trifle.covers(1, 0.98))
    }
}
