import Experiments

/// netem's random numbers, of which each leans on the one before (the kernel's net/sched/sch_netem.c, `get_crandom`):
///
///     x = (uniform * (2^32 - rho) + x_before * rho) / 2^32          rho = correlation * 2^32
struct CorrelatedRandom: Sendable {
    /// 0 for none.
    private let rho: UInt64
    private var last: UInt32

    /// - Parameter correlation: 0 to 1.
    init(correlation: Double, using generator: inout SeededGenerator) {
        // As `tc` scales it and the kernel then adds one, so that a whole is a whole.
        let scaled = UInt64((correlation * Double(UInt32.max)).rounded())
        rho = scaled == 0 ? 0 : scaled + 1
        last = generator.next32()
    }

    mutating func next(using generator: inout SeededGenerator) -> UInt32 {
        let value = generator.next32()
        guard rho != 0 else { return value }
        last = UInt32(truncatingIfNeeded: (UInt64(value) * ((1 << 32) - rho) + UInt64(last) * rho) >> 32)
        return last
    }
}

/// Decides packet by packet who belongs to a share, and keeps count.
struct RandomShare: Sendable {
    private let threshold: UInt32
    private var random: CorrelatedRandom
    private(set) var tally = ShareTally()

    init(_ share: Impairment.Share?, using generator: inout SeededGenerator) {
        threshold = UInt32(((share?.probability ?? 0) * Double(UInt32.max)).rounded())
        random = CorrelatedRandom(correlation: share?.correlation ?? 0, using: &generator)
    }

    /// Whether the next packet is one of the share. Without a share nothing is drawn or counted.
    mutating func draws(using generator: inout SeededGenerator) -> Bool {
        guard threshold > 0 else { return false }
        let hit = threshold >= random.next(using: &generator)
        tally.count(hit)
        return hit
    }
}

/// How many of how many, and how much that varies from block to block: draws that lean on each other have no binomial
/// interval. Plain numbers only: it lies in memory that two processes share.
struct ShareTally: Sendable, Equatable {
    /// So many draws are nearly independent of those of the block before, at any correlation up to 0.9.
    static let blockLength: UInt64 = 64

    private(set) var draws: UInt64 = 0
    private(set) var hits: UInt64 = 0
    /// Blocks that are full.
    private(set) var blocks: UInt64 = 0
    /// The sums of the hits in full blocks, and of their squares.
    private(set) var blockHits: UInt64 = 0
    private(set) var blockSquares: UInt64 = 0
    private var hitsOfOpenBlock: UInt64 = 0

    mutating func count(_ hit: Bool) {
        draws += 1
        if hit {
            hits += 1
            hitsOfOpenBlock += 1
        }
        guard draws.isMultiple(of: Self.blockLength) else { return }
        blocks += 1
        blockHits += hitsOfOpenBlock
        blockSquares += hitsOfOpenBlock * hitsOfOpenBlock
        hitsOfOpenBlock = 0
    }

    /// The sum of two that counted apart.
    mutating func add(_ other: ShareTally) {
        draws += other.draws
        hits += other.hits
        blocks += other.blocks
        blockHits += other.blockHits
        blockSquares += other.blockSquares
    }
}

/// Draws the delay of each packet (`tabledist` without a table): uniform in the latency less and plus the jitter.
///
/// As in the kernel the draw is taken modulo twice the jitter in nanoseconds. With a small jitter that leaves little of
/// the correlation, and with one near the kernel's 2.1 s not quite a uniform distribution.
struct DelayDraw: Sendable {
    private let latencyNs: Int64
    private let jitterNs: Int64
    private var random: CorrelatedRandom

    init(_ delay: Impairment.Delay?, using generator: inout SeededGenerator) {
        latencyNs = delay?.latencyNs ?? 0
        jitterNs = min(delay?.jitterNs ?? 0, Int64(Int32.max))
        random = CorrelatedRandom(correlation: delay?.correlation ?? 0, using: &generator)
    }

    /// In nanoseconds; below 0 when the jitter is more than the latency, which means at once.
    mutating func next(using generator: inout SeededGenerator) -> Int64 {
        guard jitterNs > 0 else { return latencyNs }
        return Int64(random.next(using: &generator) % UInt32(2 * jitterNs)) + latencyNs - jitterNs
    }

    /// The mean and the standard deviation that this arithmetic has in the long run, in milliseconds, found by running
    /// it: so they hold for every jitter and correlation.
    ///
    /// - Parameter draws: the mean itself is off by a standard deviation over the square root of this.
    static func expectation(_ delay: Impairment.Delay, draws: Int) -> (meanMs: Double, deviationMs: Double) {
        guard delay.jitterNs > 0 else { return (Double(delay.latencyNs) / 1e6, 0) }
        var generator = SeededGenerator(seed: 1, purpose: "expected delay")
        var draw = DelayDraw(delay, using: &generator)
        var (sum, squares) = (0.0, 0.0)
        for _ in 0..<draws {
            let value = Double(max(0, draw.next(using: &generator))) / 1e6
            sum += value
            squares += value * value
        }
        let mean = sum / Double(draws)
        return (mean, max(0, squares / Double(draws) - mean * mean).squareRoot())
    }
}

extension SeededGenerator {
    /// The upper half of a draw.
    mutating func next32() -> UInt32 { UInt32(truncatingIfNeeded: next() >> 32) }

    /// 0 to `bound` - 1.
    mutating func next(below bound: UInt32) -> UInt32 { UInt32((UInt64(next32()) * UInt64(bound)) >> 32) }
}
