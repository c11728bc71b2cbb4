import Experiments
import Foundation
import Testing
import Verdict

@Suite struct VerdictTests {
    private func evidence(_ change: (inout VerdictRules.Evidence) -> Void = { _ in }) -> VerdictRules.Evidence {
        var evidence = VerdictRules.Evidence()
        evidence.dose = Fixtures.goodDose
        evidence.baseline = Fixtures.summary(Fixtures.load(2..<12))
        evidence.recoveryTimeMs = 0
        change(&evidence)
        return evidence
    }

    @Test func withoutAHypothesisHeldMeansDoseRecoveryMoney() {
        let decision = VerdictRules.decide(evidence())
        #expect(decision.verdict == .held)
        #expect(decision.reasons == ["the dose was delivered", "the system recovered", "the money was not checked"])
        let checked = VerdictRules.decide(evidence { $0.money = MoneyCheck(checked: 9) })
        #expect(checked.reasons.last == "the money is right")
    }

    @Test func whatMakesARunInvalid() {
        let cases: [(String, VerdictRules.Evidence)] = [
            ("the dose is not", evidence { $0.dose = Fixtures.badDose }),
            ("nothing is known", evidence { $0.dose = nil }),
            ("the fault could not", evidence { $0.failure = "the fault could not be removed: nft said no" }),
            ("no requests", evidence { $0.baseline = nil }),
            ("no requests", evidence { $0.baseline = Fixtures.summary([]) }),
            ("already bad", evidence { $0.baseline = Fixtures.summary(Fixtures.load(2..<12, failures: 1)) }),
        ]
        for (reason, evidence) in cases {
            let decision = VerdictRules.decide(evidence)
            #expect(decision.verdict == .invalid)
            #expect(decision.reasons.contains { $0.contains(reason) }, "\(decision.reasons)")
        }
    }

    @Test func oneFailureInTwoHundredIsStillABaseline() {
        let samples = Fixtures.load(2..<12).dropLast() + [Fixtures.sample(11, .status(500))]
        #expect(VerdictRules.decide(evidence { $0.baseline = Fixtures.summary(Array(samples)) }).verdict == .held)
    }

    @Test func theRestOfTheVerdicts() {
        #expect(VerdictRules.decide(evidence { $0.recoveryTimeMs = nil }).verdict == .deviated)
        #expect(VerdictRules.decide(evidence { $0.money = Fixtures.wrongMoney }).verdict == .deviated)
        let stopped = VerdictRules.decide(
            evidence {
                $0.stopped = "stopped by a person"
                $0.dose = nil
            })
        #expect(stopped.verdict == .aborted)
        #expect(stopped.reasons == ["stopped by a person"])
        let killed = VerdictRules.decide(
            evidence { $0.dose = Dose(.memory(askedBytes: 100, heldBytes: 0, outOfMemoryKills: 2)) })
        #expect(killed.verdict == .held)
        #expect(killed.reasons.last?.contains("killed 2 memory workers") == true)
    }

    @Test func exitCodes() {
        #expect(Verdict.allCases.map(\.exitCode) == [0, 2, 3, 4])
    }
}
