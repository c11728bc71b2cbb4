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
        evidence.money = MoneyCheck(checked: 9)
        change(&evidence)
        return evidence
    }

    @Test func withoutAHypothesisHeldMeansDoseRecoveryMoney() {
        let decision = VerdictRules.decide(evidence())
        #expect(decision.verdict == .held)
        #expect(decision.reasons == ["the dose was delivered", "the system recovered", "the money is right"])
        let idle = VerdictRules.decide(evidence { $0.money = MoneyCheck(checked: 0) })
        #expect(idle.verdict == .held && idle.reasons.last == "the money is right: nobody paid")
    }

    @Test func withoutAMoneyCheckNothingIsHeld() {
        let unread = MoneyCheck(notChecked: "the payment service has no audit")
        let decision = VerdictRules.decide(evidence { $0.money = unread })
        #expect(decision.verdict == .invalid)
        #expect(decision.reasons == ["the money was not checked: the payment service has no audit"])
        #expect(VerdictRules.decide(evidence { $0.money = .notMade }).verdict == .invalid)
        // What is known to be wrong is not taken back.
        let slow = VerdictRules.decide(
            evidence {
                $0.money = unread
                $0.recoveryTimeMs = nil
            })
        #expect(slow.verdict == .deviated)
        let wrong = MoneyCheck(
            violations: [MoneyViolation(rule: .oneCharge, text: "twice")], checked: 3, notChecked: "the end is missing")
        #expect(VerdictRules.decide(evidence { $0.money = wrong }).verdict == .deviated)
        let stopped = VerdictRules.decide(
            evidence {
                $0.money = unread
                $0.stopped = "stopped by a person"
            })
        #expect(stopped.verdict == .aborted)
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
