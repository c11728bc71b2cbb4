import DequeModule

/// The token bucket filter, with tokens counted in nanoseconds (the kernel's net/sched/sch_tbf.c, `tbf_enqueue` and
/// `tbf_dequeue`): a bucket for the rate and, where a peak rate is given, a second, small one for it.
///
/// Packets wait in order and never overtake; one that is longer than a bucket can never pass and is dropped.
/// Pure: the clock comes from outside.
struct TokenBucket: Sendable {
    /// One rate with its bucket.
    private struct Level: Sendable {
        let bytesPerSecond: UInt64
        let fullNs: Int64
        var tokensNs: Int64

        init(bitsPerSecond: UInt64, bytes: Int) {
            bytesPerSecond = bitsPerSecond / 8
            fullNs = TokenBucket.timeNs(of: bytes, bytesPerSecond: bytesPerSecond)
            tokensNs = fullNs
        }

        /// What would be left after a packet; below 0 it has to wait so long.
        func left(after passedNs: Int64, length: Int) -> Int64 {
            min(fullNs, tokensNs + passedNs) - TokenBucket.timeNs(of: length, bytesPerSecond: bytesPerSecond)
        }
    }

    private let limitBytes: Int
    private let longest: Int
    private var rate: Level
    private var peak: Level?
    private var checkedNs: Int64
    private var waiting = Deque<QueuedPacket>()
    private var waitingBytes = 0

    init(_ bandwidth: Impairment.Bandwidth, nowNs: Int64) {
        limitBytes = bandwidth.limitBytes
        rate = Level(bitsPerSecond: bandwidth.bitsPerSecond, bytes: bandwidth.bufferBytes)
        peak = bandwidth.peakBitsPerSecond.map { Level(bitsPerSecond: $0, bytes: bandwidth.minburstBytes) }
        longest = peak == nil ? bandwidth.bufferBytes : min(bandwidth.bufferBytes, bandwidth.minburstBytes)
        checkedNs = nowNs
    }

    /// How long bytes take, rounded down.
    static func timeNs(of bytes: Int, bytesPerSecond: UInt64) -> Int64 {
        let (high, low) = UInt64(bytes).multipliedFullWidth(by: 1_000_000_000)
        guard high < bytesPerSecond else { return .max / 4 }
        return Int64(clamping: min(bytesPerSecond.dividingFullWidth((high, low)).quotient, UInt64(Int64.max / 4)))
    }

    /// - Returns: false when there is no room for it.
    mutating func enqueue(_ packet: QueuedPacket) -> Bool {
        guard packet.length <= longest, waitingBytes + packet.length <= limitBytes else { return false }
        waiting.append(packet)
        waitingBytes += packet.length
        return true
    }

    /// The first packet, if there are tokens for it.
    mutating func dequeue(nowNs: Int64) -> QueuedPacket? {
        guard let first = waiting.first else { return nil }
        let passed = nowNs - checkedNs
        let left = rate.left(after: passed, length: first.length)
        let peakLeft = peak?.left(after: passed, length: first.length) ?? 0
        guard left >= 0, peakLeft >= 0 else { return nil }
        checkedNs = nowNs
        rate.tokensNs = left
        peak?.tokensNs = peakLeft
        waitingBytes -= first.length
        return waiting.removeFirst()
    }

    /// When there will be tokens for the first packet; nil when none waits.
    func nextDueNs(nowNs: Int64) -> Int64? {
        guard let first = waiting.first else { return nil }
        let passed = nowNs - checkedNs
        let left = rate.left(after: passed, length: first.length)
        return nowNs + max(0, -left, -(peak?.left(after: passed, length: first.length) ?? 0))
    }
}
