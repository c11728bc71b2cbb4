import Experiments
import Testing

@testable import Verdict

/// The rule on made-up seconds after the fault, twenty requests each as in the baseline.
@Suite struct MetastabilityTests {
    private static let baseline = Fixtures.summary(Fixtures.load(2..<12))

    /// A second told by its word.
    private func second(_ word: Character) -> [RequestSample] {
        let count = word == "+" ? 40 : word == "-" ? 0 : 20
        return (0..<count).map { index in
            switch word {
            case "x", "+": Fixtures.sample(0, ms: 5000, index < 14 ? .timedOut : .status(200))
            case "s": Fixtures.sample(0, ms: 2000)
            case "m": Fixtures.sample(0, ms: 500)
            case "h": Fixtures.sample(0, ms: 5000, index < 8 ? .timedOut : .status(200))
            default: Fixtures.sample(0)
            }
        }
    }

    private func judge(_ words: String, baseline: PhaseSummary = Self.baseline) -> Bool? {
        let recovery = Recovery(baseline: baseline)
        let samples = words.enumerated().flatMap { index, word in
            second(word).map { sample in
                RequestSample(
                    endpoint: sample.endpoint, intendedNs: Fixtures.at(43 + Double(index) + 0.5), sendDelayNs: 0,
                    latencyNs: sample.latencyNs, outcome: sample.outcome)
            }
        }
        let seconds = recovery.seconds(
            samples, from: Fixtures.at(43), to: Fixtures.at(43 + Double(words.count)))
        return Metastability.judge(seconds, baseline: baseline)
    }

    @Test(
        arguments: [
            // Stays bad: by failures, by latency alone, and with a good second here and there.
            ("xxxxxxxxxxxxxxxxxxxx", true), ("ssssssssssssssssssss", true), ("xxgxxxggxxxxgxxxxxgx", true),
            // A slow drain that comes to its end; a quick one; one that had recovered before it went bad again.
            ("xxxxxxxxxxsssmmggggg", false), ("gggggggggggggggggggg", false), ("xxxxxggggxxxxxxxxxxx", false),
            // It flaps: never three good seconds in a row, but mostly good at last.
            ("xxxxxxxxxxxxxxggxggx", false),
            // On its way: fewer fail, or all are quicker, though none is good yet.
            ("xxxxxxxxxxxxxxhhhhhh", nil), ("ssssssssssssssmmmmmm", nil),
            // Watched for less than 15 s; asked for more, or for nothing, at the end.
            ("xxxxxxxxxxxxxx", nil), ("xxxxxxxxxxxxxx++++++", nil), ("xxxxxxxxxxxxxx------", nil), ("", nil),
        ] as [(String, Bool?)])
    func judges(words: String, expected: Bool?) {
        #expect(judge(words) == expected)
    }

    @Test func againstABadBaselineNothingIsSaid() {
        let bad = Fixtures.summary(Fixtures.load(2..<12, failures: 5))
        #expect(judge("xxxxxxxxxxxxxxxxxxxx", baseline: bad) == nil)
        #expect(judge("xxxxxxxxxxxxxxxxxxxx", baseline: Fixtures.summary([])) == nil)
    }

    @Test func withoutAFaultThatIsGoneNothingIsSaid() {
        var input = RunAnalysis.Input(
            samples: Fixtures.load(0..<12) + Fixtures.load(12..<63, failures: 20), clock: Fixtures.clock,
            startedAt: 1000, removedNs: nil, topology: RunTopology(), seed: 1)
        #expect(RunAnalysis(input).recovery.metastable == nil)
        input.removedNs = Fixtures.at(43)
        #expect(RunAnalysis(input).recovery.metastable == true)
    }
}
