import Foundation

/// Packets that were chosen one by one: lost, repeated, damaged or let overtake.
public struct ShareReading: Sendable, Equatable {
    public let kind: Dose.Kind
    /// The share asked for and its correlation, 0 to 1.
    public let asked: Double
    public let correlation: Double
    /// Packets for which the dice were thrown, and those that were chosen.
    public let draws: UInt64
    public let hits: UInt64
    /// Blocks of `blockLength` draws in a row, the sum of their hits and of the squares of these.
    public let blocks: UInt64
    public let blockHits: UInt64
    public let blockSquares: UInt64
    public let blockLength: UInt64

    public init(
        kind: Dose.Kind, asked: Double, correlation: Double, draws: UInt64, hits: UInt64, blocks: UInt64,
        blockHits: UInt64, blockSquares: UInt64, blockLength: UInt64
    ) {
        self.kind = kind
        self.asked = asked
        self.correlation = correlation
        self.draws = draws
        self.hits = hits
        self.blocks = blocks
        self.blockHits = blockHits
        self.blockSquares = blockSquares
        self.blockLength = blockLength
    }

    /// The share that netem's arithmetic makes of it in the long run.
    public var longRun: Double { NetemCorrelation.longRunLoss(loss: asked, correlation: correlation) }

    /// How many draws in a row say as much as one independent one.
    ///
    /// Draws that lean on each other have no binomial interval. How much the shares of whole blocks vary says how many
    /// independent draws they are worth; while there are few blocks, the most that the correlation can do is assumed:
    /// draws k apart agree at most as far as correlation^k, which adds up to (1 + correlation) / (1 - correlation).
    var clumping: Double {
        guard correlation > 0 else { return 1 }
        let most = (1 + correlation) / max(1 - correlation, 0.001)
        guard blocks >= 20 else { return most }
        let (n, length) = (Double(blocks), Double(blockLength))
        let share = Double(blockHits) / (n * length)
        let variance = (Double(blockSquares) - Double(blockHits) * Double(blockHits) / n) / (n - 1)
        let independent = length * share * (1 - share)
        return independent > 0 ? min(max(variance / independent, 1), most) : most
    }
}

/// Packets that were held back.
public struct DelayReading: Sendable, Equatable {
    public let latencyMs: Double
    public let jitterMs: Double
    /// The mean and the standard deviation that netem's arithmetic gives in the long run.
    public let expectedMeanMs: Double
    public let expectedDeviationMs: Double
    /// How many draws that was worked out from.
    public let expectedFrom: Int
    public let correlation: Double
    /// Packets for which a delay was drawn, and those of them that have gone on.
    public let packets: UInt64
    public let passed: UInt64
    /// The means of the delays drawn for them, of what the machine was too late by, and of the times that they were
    /// really held back: with a rate or a bandwidth there is waiting in line besides.
    public let drawnMeanMs: Double
    public let lateMeanMs: Double
    public let measuredMeanMs: Double
    public let measuredDeviationMs: Double
    /// Packets dropped since the queue was full.
    public let overLimit: UInt64

    public init(
        latencyMs: Double, jitterMs: Double, expectedMeanMs: Double, expectedDeviationMs: Double, expectedFrom: Int,
        correlation: Double, packets: UInt64, passed: UInt64, drawnMeanMs: Double, lateMeanMs: Double,
        measuredMeanMs: Double, measuredDeviationMs: Double, overLimit: UInt64
    ) {
        self.latencyMs = latencyMs
        self.jitterMs = jitterMs
        self.expectedMeanMs = expectedMeanMs
        self.expectedDeviationMs = expectedDeviationMs
        self.expectedFrom = expectedFrom
        self.correlation = correlation
        self.packets = packets
        self.passed = passed
        self.drawnMeanMs = drawnMeanMs
        self.lateMeanMs = lateMeanMs
        self.measuredMeanMs = measuredMeanMs
        self.measuredDeviationMs = measuredDeviationMs
        self.overLimit = overLimit
    }

    /// The latency, unless what netem makes of it is really another.
    var askedMeanMs: Double {
        let noise = 4 * expectedDeviationMs / Double(max(expectedFrom, 1)).squareRoot()
        return abs(expectedMeanMs - latencyMs) <= noise ? latencyMs : expectedMeanMs
    }

    /// How late the machine may be, in the mean, before the delay is no longer the one asked for: 5 ms, or a tenth of it.
    var slackMs: Double { max(5, askedMeanMs / 10) }

    /// The spread of the mean: of what was measured, of what it is held against, and 1 µs for rounding.
    func spreadMs(_ confidence: WilsonInterval.Confidence) -> Double {
        let clumping = (1 + correlation) / max(1 - correlation, 0.001)
        let variance = expectedDeviationMs * expectedDeviationMs * clumping
        return 0.001 + confidence.quantile
            * (variance / Double(max(packets, 1)) + variance / Double(max(expectedFrom, 1))).squareRoot()
    }
}

/// Bytes that were let through at a rate.
public struct RateReading: Sendable, Equatable {
    /// For each sender.
    public let askedBitsPerSecond: Double
    /// What may pass at once.
    public let burstBytes: Double
    public let bytes: UInt64
    /// What the busiest sender got through in its fullest second.
    public let fullestSecondBytes: UInt64
    /// The most that the machine was too late by: what had waited then goes together.
    public let latestMs: Double
    /// Packets dropped since the queue was full.
    public let overLimit: UInt64

    public init(
        askedBitsPerSecond: Double, burstBytes: Double, bytes: UInt64, fullestSecondBytes: UInt64, latestMs: Double,
        overLimit: UInt64
    ) {
        self.askedBitsPerSecond = askedBitsPerSecond
        self.burstBytes = burstBytes
        self.bytes = bytes
        self.fullestSecondBytes = fullestSecondBytes
        self.latestMs = latestMs
        self.overLimit = overLimit
    }

    /// The most bits that a second may hold: those of the rate, the burst, one packet that began before, and what was
    /// sent late.
    var mostBits: Double {
        askedBitsPerSecond * (1 + latestMs / 1000) + (burstBytes + 1514) * 8
    }
}

extension Dose {
    init(_ reading: ShareReading) {
        let clumping = reading.clumping
        func interval(_ confidence: WilsonInterval.Confidence) -> WilsonInterval {
            WilsonInterval(
                hits: UInt64((Double(reading.hits) / clumping).rounded()),
                of: UInt64((Double(reading.draws) / clumping).rounded()), confidence)
        }
        let (asked, shown) = (reading.longRun, interval(.percent95))
        self.init(
            kind: reading.kind, asked: asked * 100,
            delivered: reading.draws == 0 ? 0 : Double(reading.hits) / Double(reading.draws) * 100,
            low: shown.low * 100, high: shown.high * 100, unit: "percent",
            effective: reading.draws > 0 && interval(.percent9999).contains(asked),
            detail: "\(reading.hits) of \(reading.draws) packets \(reading.kind.participle)",
            findings: reading.correlation == 0
                ? []
                : [
                    String(
                        format: "%.4g %% with correlation %.4g is %.3g %% in the long run", reading.asked * 100,
                        reading.correlation * 100, asked * 100)
                ])
    }

    init(_ reading: DelayReading) {
        let delivered = reading.drawnMeanMs + reading.lateMeanMs
        let shown = reading.spreadMs(.percent95)
        let asked = reading.askedMeanMs
        let hits = abs(reading.drawnMeanMs - asked) <= reading.spreadMs(.percent9999)
        var findings: [String] = []
        if asked != reading.latencyMs {
            findings.append(String(format: "netem makes %.4g ms of this latency and jitter in the mean", asked))
        }
        self.init(
            kind: .packetDelay, asked: asked, delivered: delivered, low: max(0, delivered - shown),
            high: delivered + shown, unit: "ms",
            effective: reading.passed > 0 && hits && reading.lateMeanMs <= reading.slackMs,
            detail: String(
                format: "%d packets held back for %.1f ms +- %.1f ms, of which the machine was late by %.2f ms",
                Int(clamping: reading.passed), reading.measuredMeanMs, reading.measuredDeviationMs,
                reading.lateMeanMs),
            findings: findings + Self.overLimit(reading.overLimit))
    }

    init(_ reading: RateReading) {
        let bits = Double(reading.fullestSecondBytes) * 8
        self.init(
            kind: .bandwidth, asked: reading.askedBitsPerSecond, delivered: bits, unit: "bit/s",
            effective: reading.bytes > 0 && bits <= reading.mostBits,
            detail: String(
                format: "%d bytes let through; the fullest second of a sender may hold %.0f bit, burst included",
                Int(clamping: reading.bytes), reading.mostBits),
            findings: Self.overLimit(reading.overLimit))
    }

    private static func overLimit(_ packets: UInt64) -> [String] {
        packets == 0 ? [] : ["\(packets) packets found the queue full and were dropped, as netem would"]
    }
}

extension Dose.Kind {
    /// What became of the packets.
    fileprivate var participle: String {
        switch self {
        case .packetLoss: "dropped"
        case .packetDuplication: "repeated"
        case .packetCorruption: "damaged"
        case .packetReordering: "let overtake"
        case .packetDelay: "held back"
        case .bandwidth, .cpu, .memory, .disk, .processKill, .downtime, .targets, .traffic, .steps:
            "touched"
        }
    }
}
