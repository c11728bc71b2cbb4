import Experiments
import Testing

@Suite struct ImpairmentDoseTests {
    /// Draws as netem does, and how many of which blocks of 64 hit.
    private func draw(
        _ count: Int, share: Double, correlation: Double, asked: Double? = nil, seed: UInt64
    ) -> ShareReading {
        var generator = SeededGenerator(seed: seed)
        let rho = correlation
        var (last, hits, block, blocks, squares, blockHits) = (0.5, 0, 0, 0, 0, 0)
        for number in 1...count {
            last = (1 - rho) * Double.random(in: 0..<1, using: &generator) + rho * last
            if last <= share {
                hits += 1
                block += 1
            }
            guard number.isMultiple(of: 64) else { continue }
            blocks += 1
            blockHits += block
            squares += block * block
            block = 0
        }
        return ShareReading(
            kind: .packetLoss, asked: asked ?? share, correlation: correlation, draws: UInt64(count),
            hits: UInt64(hits), blocks: UInt64(blocks), blockHits: UInt64(blockHits), blockSquares: UInt64(squares),
            blockLength: 64)
    }

    @Test(arguments: [(0.8, 0.5), (0.5, 0.9), (0.3, 0.25), (0.2, 0.0), (0.95, 0.75)])
    func anHonestShareIsHardlyEverCalledWrong(share: Double, correlation: Double) {
        for count in [200, 3000] {
            let doses = (0..<60).map { seed in
                Dose(.share(draw(count, share: share, correlation: correlation, seed: seed)))
            }
            #expect(doses.count { !$0.effective } <= 1, "\(count) packets")
            #expect(doses.allSatisfy { $0.low <= $0.delivered + 1e-9 && $0.delivered <= $0.high + 1e-9 })
            // 95 %, or more where there are too few blocks.
            #expect(doses.count { $0.low <= $0.asked && $0.asked <= $0.high } >= 50)
        }
    }

    @Test func anotherShareIsCalledWrong() {
        let wrong = draw(3000, share: 0.5, correlation: 0.5, asked: 0.8, seed: 1)
        #expect(!Dose(.share(wrong)).effective)
        let plain = draw(3000, share: 0.7, correlation: 0, asked: 0.8, seed: 1)
        #expect(!Dose(.share(plain)).effective)
        let none = draw(1, share: 0.8, correlation: 0.5, seed: 1)
        #expect(Dose(.share(none)).effective, "one packet says nothing against it")
    }

    @Test func aCorrelatedShareIsNamedByWhatItReallyIs() {
        let dose = Dose(.share(draw(10_000, share: 0.8, correlation: 0.5, seed: 2)))
        #expect(abs(dose.asked - 97) < 0.1)
        #expect(dose.findings == ["80 % with correlation 50 is 97.1 % in the long run"])
        #expect(dose.text.hasPrefix("asked 97.0") && dose.text.hasSuffix("of 10000 packets dropped"), "\(dose.text)")
    }

    private func delay(drawn: Double, late: Double = 0.1, packets: UInt64 = 1000, passed: UInt64 = 990) -> Dose {
        Dose(
            .delay(
                DelayReading(
                    latencyMs: 200, jitterMs: 50, expectedMeanMs: 200, expectedDeviationMs: 28.87,
                    expectedFrom: 1 << 16, correlation: 0, packets: packets, passed: passed, drawnMeanMs: drawn,
                    lateMeanMs: late, measuredMeanMs: drawn + late, measuredDeviationMs: 29, overLimit: 0)))
    }

    @Test func aDelayMustLieInItsInterval() {
        // 3.89 x 28.87 / sqrt(1000) = 3.55 ms, and a little for the expectation itself.
        #expect(delay(drawn: 203.5).effective && delay(drawn: 196.5).effective)
        #expect(!delay(drawn: 204.2).effective && !delay(drawn: 195.8).effective)
        #expect(!delay(drawn: 200, packets: 0, passed: 0).effective)
        let dose = delay(drawn: 200)
        #expect(dose.unit == "ms" && dose.asked == 200 && abs(dose.delivered - 200.1) < 1e-9 && dose.findings.isEmpty)
        #expect(dose.text.hasPrefix("asked 200 ms, delivered 200.1 ms (95 % interval 198.3 to 201.9 ms): 990 packets"))
    }

    @Test func aMachineThatIsTooLateDeliversAnotherDelay() {
        #expect(delay(drawn: 200, late: 19).effective)
        #expect(!delay(drawn: 200, late: 21).effective, "more than a tenth of 200 ms")
    }

    @Test(arguments: [(UInt64(125_000), true), (137_000, true), (139_000, false)])
    func aRateIsNeverExceeded(fullest: UInt64, effective: Bool) {
        // 125,000 bytes a second, 10,000 at once, and one packet of 1514.
        let reading = RateReading(
            askedBitsPerSecond: 1_000_000, burstBytes: 10_000, bytes: 1_000_000, fullestSecondBytes: fullest,
            latestMs: 10, overLimit: 3)
        let dose = Dose(.rate(reading))
        #expect(dose.effective == effective)
        #expect(dose.kind == .bandwidth && dose.delivered == Double(fullest * 8))
        #expect(dose.findings == ["3 packets found the queue full and were dropped, as netem would"])
    }

    @Test func aRateWithoutBytesIsNone() {
        let reading = RateReading(
            askedBitsPerSecond: 1000, burstBytes: 0, bytes: 0, fullestSecondBytes: 0, latestMs: 0, overLimit: 0)
        #expect(!Dose(.rate(reading)).effective)
    }
}
