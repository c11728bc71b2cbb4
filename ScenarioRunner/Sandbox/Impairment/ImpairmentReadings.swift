import Experiments
import Foundation

extension Impairment {
    /// One reading for each thing that is asked, in the order of the fields.
    func readings(
        of counters: PathCounters, _ expectedDelay: (meanMs: Double, deviationMs: Double)
    ) -> [DoseReading] {
        var readings: [DoseReading] = []
        if let delay { readings.append(.delay(Self.reading(delay, counters, expectedDelay))) }
        let shares = [
            (Dose.Kind.packetReordering, delay?.reorder?.share, counters.reorder),
            (.packetLoss, loss, counters.loss), (.packetDuplication, duplicate, counters.duplicate),
            (.packetCorruption, corrupt, counters.corrupt),
        ]
        for case (let kind, let share?, let tally) in shares where share.probability > 0 {
            readings.append(.share(Self.reading(kind, share, tally)))
        }
        if let rateBitsPerSecond { readings.append(.rate(Self.reading(rateBitsPerSecond, 0, counters))) }
        if let bandwidth {
            readings.append(.rate(Self.reading(bandwidth.bitsPerSecond, bandwidth.bufferBytes, counters)))
        }
        return readings
    }

    private static func reading(
        _ delay: Delay, _ counters: PathCounters, _ expected: (meanMs: Double, deviationMs: Double)
    ) -> DelayReading {
        let passed = Double(max(counters.delayed, 1))
        let mean = Double(counters.waitedNs) / 1e6 / passed
        return DelayReading(
            latencyMs: Double(delay.latencyNs) / 1e6, jitterMs: Double(delay.jitterNs) / 1e6,
            expectedMeanMs: expected.meanMs, expectedDeviationMs: expected.deviationMs,
            expectedFrom: PathImpairmentFault.expectedFrom, correlation: delay.correlation, packets: counters.drawn,
            passed: counters.delayed, drawnMeanMs: Double(counters.drawnNs) / 1e6 / Double(max(counters.drawn, 1)),
            lateMeanMs: Double(counters.lateNs) / 1e6 / passed, measuredMeanMs: mean,
            measuredDeviationMs: max(0, counters.waitedSquaresMs / passed - mean * mean).squareRoot(),
            overLimit: counters.overLimit)
    }

    private static func reading(_ kind: Dose.Kind, _ share: Share, _ tally: ShareTally) -> ShareReading {
        ShareReading(
            kind: kind, asked: share.probability, correlation: share.correlation, draws: tally.draws, hits: tally.hits,
            blocks: tally.blocks, blockHits: tally.blockHits, blockSquares: tally.blockSquares,
            blockLength: ShareTally.blockLength)
    }

    private static func reading(_ bitsPerSecond: UInt64, _ burst: Int, _ counters: PathCounters) -> RateReading {
        RateReading(
            askedBitsPerSecond: Double(bitsPerSecond), burstBytes: Double(burst), bytes: counters.deliveredBytes,
            fullestSecondBytes: counters.fullestSecondBytes, latestMs: Double(counters.latestNs) / 1e6,
            overLimit: counters.overLimit)
    }

    /// `delay by 200 ms +- 50 ms, drop 80 % (correlation 50 %): the packets`.
    var text: String {
        func percent(_ share: Double) -> String { String(format: "%.4g %%", share * 100) }
        func text(_ verb: String, _ share: Share?) -> String? {
            share.map { share in
                let correlation = share.correlation > 0 ? " (correlation \(percent(share.correlation)))" : ""
                return "\(verb) \(percent(share.probability))\(correlation)"
            }
        }
        let held = delay.map { delay in
            let jitter = delay.jitterNs > 0 ? String(format: " +- %.6g ms", Double(delay.jitterNs) / 1e6) : ""
            return String(format: "delay by %.6g ms", Double(delay.latencyNs) / 1e6) + jitter
        }
        let parts = [
            held, text("reorder", delay?.reorder?.share), text("drop", loss), text("repeat", duplicate),
            text("damage", corrupt), (rateBitsPerSecond ?? bandwidth?.bitsPerSecond).map { "limit to \($0) bit/s" },
        ]
        return parts.compactMap { $0 }.joined(separator: ", ") + ": the packets"
    }
}

/// The arguments of `scenario-runner path-worker`.
struct PathWorkerArguments {
    let number: Int
    let lanes: Int
    let impairment: Impairment
    let seed: UInt64
    let lifetime: Duration

    var list: [String] {
        get throws {
            let json = String(decoding: try JSONEncoder().encode(impairment), as: UTF8.self)
            return [
                "--number", String(number), "--lanes", String(lanes), "--seed", String(seed), "--duration-seconds",
                String(lifetime.components.seconds), "--impairment", json,
            ]
        }
    }
}
