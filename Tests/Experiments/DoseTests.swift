import Experiments
import Foundation
import Testing

@Suite struct DoseTests {
    /// Worked out from Wilson's formula apart from this program, to four places.
    @Test(arguments: [
        (UInt64(382), UInt64(472), 0.7714, 0.8423), (0, 10, 0, 0.2775), (10, 10, 0.7225, 1), (50, 100, 0.4038, 0.5962),
    ])
    func wilsonsInterval(hits: UInt64, trials: UInt64, low: Double, high: Double) {
        let interval = WilsonInterval(hits: hits, of: trials, .percent95)
        #expect(abs(interval.low - low) < 0.0002)
        #expect(abs(interval.high - high) < 0.0002)
    }

    @Test func wilsonsIntervalHoldsWhatItPromises() {
        var generator = SeededGenerator(seed: 9)
        var (missed95, missed9999) = (0, 0)
        let (runs, trials, share) = (2000, 300, 0.8)
        for _ in 0..<runs {
            let hits = UInt64((0..<trials).count { _ in Double.random(in: 0..<1, using: &generator) < share })
            missed95 += WilsonInterval(hits: hits, of: UInt64(trials), .percent95).contains(share) ? 0 : 1
            missed9999 += WilsonInterval(hits: hits, of: UInt64(trials), .percent9999).contains(share) ? 0 : 1
        }
        #expect((60...140).contains(missed95), "5 % of 2000 are 100")
        #expect(missed9999 <= 3)
    }

    @Test(arguments: [
        (0.8, UInt64(472), UInt64(382), true), (0.8, 1000, 970, false), (0.8, 1000, 0, false), (0.8, 0, 0, false),
        (1.0, 50, 50, true), (1.0, 50, 49, false), (0.8, 1000, 850, false), (0.8, 1000, 840, true),
    ])
    func packets(asked: Double, seen: UInt64, dropped: UInt64, effective: Bool) {
        let dose = Dose(.packets(asked: asked, seen: seen, dropped: dropped))
        #expect(dose.effective == effective)
        #expect(dose.unit == "percent")
        #expect(dose.asked == asked * 100)
        #expect(dose.low <= dose.delivered && dose.delivered <= dose.high)
        #expect(dose.detail == "\(dropped) of \(seen) packets dropped")
    }

    @Test(arguments: [(3.0, true), (1.5, true), (1.4, false), (0, false)])
    func processorsAreMeasuredAgainstWhatCouldBeHad(burnt: Double, effective: Bool) {
        let dose = Dose(.cpu(askedCores: 1.6, attainableCores: 0.3, burntSeconds: burnt, wallSeconds: 10))
        #expect(dose.effective == effective)
        #expect(abs(dose.delivered - burnt / 10) < 1e-12)
        #expect(dose.low == dose.delivered && dose.high == dose.delivered)
        #expect(Dose(.cpu(askedCores: 1, attainableCores: 1, burntSeconds: 0, wallSeconds: 0)).effective == false)
    }

    @Test(arguments: [(UInt64(100), 0, true), (90, 0, true), (89, 0, false), (0, 1, true), (0, 0, false)])
    func memoryIsHeldOrKilledFor(held: UInt64, kills: Int, effective: Bool) {
        let dose = Dose(.memory(askedBytes: 100, heldBytes: held, outOfMemoryKills: kills))
        #expect(dose.effective == effective)
        #expect(dose.findings.isEmpty == (kills == 0))
    }

    @Test func aCombinedDoseIsEffectiveWhenAllAre() throws {
        let good = Dose(.memory(askedBytes: 100, heldBytes: 100, outOfMemoryKills: 0))
        let bad = Dose(.cpu(askedCores: 1, attainableCores: 1, burntSeconds: 0, wallSeconds: 10))
        #expect(Dose.combining([]) == nil)
        #expect(Dose.combining([good]) == good)
        let both = try #require(Dose.combining([good, bad]))
        #expect(!both.effective)
        #expect(both.others == [bad])
        let decoded = try JSONDecoder().decode(Dose.self, from: JSONEncoder().encode(both))
        #expect(decoded == both)
    }

    /// Against the kernel's arithmetic run with random numbers: `get_crandom` of sch_netem.c, 32 bits wide, with tc's
    /// scale, on which 100 % are 2^32 - 1.
    @Test(arguments: [(80, 25), (80, 50), (95, 75), (50, 50), (25, 25), (10, 25), (30, 50), (80, 96), (60, 98)])
    func correlationIsWhatTheKernelMakesOfIt(loss: Int, correlation: Int) {
        var generator = SeededGenerator(seed: UInt64(loss * 1000 + correlation))
        let rho = UInt64((Double(correlation) / 100 * 4_294_967_295).rounded()) + 1
        let threshold = UInt64((Double(loss) / 100 * 4_294_967_295).rounded())
        var last: UInt64 = 1 << 31
        let draws = 400_000
        let lost = (0..<draws).count { _ in
            last = (UInt64(UInt32.random(in: .min ... .max, using: &generator)) * ((1 << 32) - rho) + last * rho) >> 32
            return threshold >= last
        }
        let computed = NetemCorrelation.longRunLoss(loss: Double(loss) / 100, correlation: Double(correlation) / 100)
        #expect(abs(computed - Double(lost) / Double(draws)) < (correlation > 90 ? 0.02 : 0.004))
    }

    @Test func correlationAtItsEnds() {
        #expect(NetemCorrelation.longRunLoss(loss: 0.8, correlation: 0) == 0.8)
        #expect(NetemCorrelation.longRunLoss(loss: 0.8, correlation: 1) == 0.8)
        #expect(NetemCorrelation.longRunLoss(loss: 0, correlation: 0.5) == 0)
        #expect(NetemCorrelation.longRunLoss(loss: 1, correlation: 0.5) == 1)
        // The values measured elsewhere for this formula.
        #expect(abs(NetemCorrelation.longRunLoss(loss: 0.8, correlation: 0.5) - 0.9705) < 0.002)
        // No step where the iteration hands over to the normal distribution.
        let (below, above) = (0.969_99, 0.970_01)
        let step =
            NetemCorrelation.longRunLoss(loss: 0.55, correlation: below)
            - NetemCorrelation.longRunLoss(loss: 0.55, correlation: above)
        #expect(abs(step) < 0.002)
    }

    @Test(arguments: [
        RequestSample.Outcome.status(200), .status(402), .status(504), .timedOut, .connectionFailed, .dropped,
    ])
    func samplesSurviveALineOfJSON(outcome: RequestSample.Outcome) throws {
        let sample = RequestSample(
            endpoint: "chain", intendedNs: 123_456_789_012_345_678, sendDelayNs: 5, latencyNs: 7, outcome: outcome)
        let line = try JSONEncoder().encode(sample)
        #expect(line.count < 120)
        #expect(try JSONDecoder().decode(RequestSample.self, from: line) == sample)
        #expect(sample.isSuccess == [.status(200), .status(402)].contains(outcome))
        #expect(sample.isDeclined == (outcome == .status(402)))
    }
}
