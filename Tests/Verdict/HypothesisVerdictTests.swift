import Experiments
import Testing

@testable import Verdict

/// What an experiment expects decides its verdict.
@Suite struct HypothesisVerdictTests {
    /// A fault that fails a tenth of its users; everything else is well.
    private func decide(
        _ hypothesis: String?, recovery: Int? = 500, money: MoneyCheck = MoneyCheck(checked: 1),
        isMetastable: Bool? = nil
    ) throws -> (verdict: Verdict, reasons: [String]) {
        var evidence = VerdictRules.Evidence()
        evidence.dose = Fixtures.goodDose
        evidence.baseline = Fixtures.summary(Fixtures.load(2..<12))
        evidence.fault = Fixtures.summary(Fixtures.load(12..<22))
        evidence.recovery = evidence.baseline
        evidence.recoveryTimeMs = recovery
        evidence.money = money
        evidence.isMetastable = isMetastable
        evidence.hypothesis = try hypothesis.map(Hypothesis.parse)
        return VerdictRules.decide(evidence)
    }

    @Test func oneThatHolds() throws {
        let (verdict, reasons) = try decide("success >= 90%, p95 <= 1h after, recovery <= 15s, money right")
        #expect(verdict == .held, "\(reasons)")
        #expect(reasons.first?.hasPrefix("the hypothesis held: ") == true)
    }

    @Test func oneThatDoesNot() throws {
        let (verdict, reasons) = try decide("success < 30%")
        #expect(verdict == .deviated)
        #expect(reasons.first == "the hypothesis 'success < 30%' does not hold: success 100%")
        #expect(try decide("recovery <= 100ms").verdict == .deviated)
    }

    @Test func whatItDoesNotSpeakOfIsAskedAllTheSame() throws {
        #expect(try decide("success >= 90%", recovery: nil).verdict == .deviated)
        let wrong = MoneyCheck(violations: [MoneyViolation(rule: .oneCharge, text: "twice")], checked: 1)
        #expect(try decide("success >= 90%", money: wrong).verdict == .deviated)
        // It may well expect the worst.
        #expect(try decide("recovery > 1m, money wrong", recovery: nil, money: wrong).verdict == .held)
    }

    @Test func aMetastableSystemDeviatesUnlessThatIsExpected() throws {
        let (verdict, reasons) = try decide(nil, recovery: nil, isMetastable: true)
        #expect(verdict == .deviated && reasons.first?.hasPrefix("the system is metastable: ") == true, "\(reasons)")
        #expect(try decide("success >= 90%", recovery: nil, isMetastable: true).verdict == .deviated)
        #expect(try decide("metastable", recovery: nil, isMetastable: true).verdict == .held)
        #expect(try decide("recovery > 10s", recovery: nil, isMetastable: true).verdict == .held)
        #expect(try decide("metastable", isMetastable: false).verdict == .deviated)
        let unexpected = try decide("not metastable", recovery: nil, isMetastable: true)
        #expect(unexpected.verdict == .deviated)
        #expect(unexpected.reasons.first == "the hypothesis 'not metastable' does not hold: metastable")
        #expect(try decide("not metastable", isMetastable: false).verdict == .held)
        #expect(try decide("not metastable", recovery: nil).verdict == .invalid, "it cannot be said")
    }

    @Test func whatWasNotMeasuredCannotBeJudged() throws {
        var evidence = VerdictRules.Evidence()
        evidence.dose = Fixtures.goodDose
        evidence.baseline = Fixtures.summary(Fixtures.load(2..<12))
        evidence.recoveryTimeMs = 0
        evidence.money = MoneyCheck(checked: 1)
        evidence.hypothesis = try Hypothesis.parse("success >= 90%")
        let (verdict, reasons) = VerdictRules.decide(evidence)
        #expect(verdict == .invalid && reasons.first?.contains("cannot be judged") == true)
    }
}
