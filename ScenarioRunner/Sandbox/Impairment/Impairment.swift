/// What is done to the packets of a path: netem's and tbf's settings (tc-netem(8), tc-tbf(8)), in any combination.
///
/// ```
///   packet --> duplicate? --> lose? --> corrupt? --> delay or overtake, rate --> bandwidth --> on its way
/// ```
public struct Impairment: Sendable, Equatable, Codable {
    /// A share of the packets, each chosen with a draw that leans on the one before.
    public struct Share: Sendable, Equatable, Codable {
        /// 0 to 1.
        public let probability: Double
        /// 0 to 1; what it does to the share in the long run is `NetemCorrelation`'s to say.
        public let correlation: Double

        public init(probability: Double, correlation: Double = 0) {
            self.probability = probability
            self.correlation = correlation
        }
    }

    public struct Delay: Sendable, Equatable, Codable {
        public let latencyNs: Int64
        /// The delay is anywhere within the latency less and plus this; the kernel takes at most 2,147 ms of it.
        public let jitterNs: Int64
        /// 0 to 1, of the jitter.
        public let correlation: Double
        public let reorder: Reorder?

        public init(latency: Duration, jitter: Duration = .zero, correlation: Double = 0, reorder: Reorder? = nil) {
            latencyNs = latency.wholeNanoseconds
            jitterNs = jitter.wholeNanoseconds
            self.correlation = correlation
            self.reorder = reorder
        }
    }

    /// Packets that are not delayed and so overtake those that are.
    public struct Reorder: Sendable, Equatable, Codable {
        public let share: Share
        /// Only each gap-th packet may overtake; 0 is 1, as `tc` has it.
        public let gap: Int

        public init(share: Share, gap: Int) {
            self.share = share
            self.gap = max(gap, 1)
        }
    }

    /// A token bucket.
    public struct Bandwidth: Sendable, Equatable, Codable {
        public let bitsPerSecond: UInt64
        /// Bytes that may wait for tokens.
        public let limitBytes: Int
        /// Bytes of the bucket: what may pass at once. A packet that is longer never passes.
        public let bufferBytes: Int
        /// How fast a full bucket may empty; nil for at once.
        public let peakBitsPerSecond: UInt64?
        /// Bytes of the peak's own bucket; at least a packet.
        public let minburstBytes: Int

        public init(
            bitsPerSecond: UInt64, limitBytes: Int, bufferBytes: Int, peakBitsPerSecond: UInt64? = nil,
            minburstBytes: Int = 0
        ) {
            self.bitsPerSecond = bitsPerSecond
            self.limitBytes = limitBytes
            self.bufferBytes = bufferBytes
            self.peakBitsPerSecond = peakBitsPerSecond
            self.minburstBytes = minburstBytes
        }
    }

    public var delay: Delay?
    public var loss: Share?
    public var duplicate: Share?
    public var corrupt: Share?
    /// netem's rate: each packet takes the time of its bytes, one after the other.
    public var rateBitsPerSecond: UInt64?
    public var bandwidth: Bandwidth?

    public init(
        delay: Delay? = nil, loss: Share? = nil, duplicate: Share? = nil, corrupt: Share? = nil,
        rateBitsPerSecond: UInt64? = nil, bandwidth: Bandwidth? = nil
    ) {
        self.delay = delay
        self.loss = loss
        self.duplicate = duplicate
        self.corrupt = corrupt
        self.rateBitsPerSecond = rateBitsPerSecond
        self.bandwidth = bandwidth
    }

    /// The slowest that can be counted in whole bytes.
    private static let slowest: UInt64 = 8

    /// - Throws: ``InvalidFault`` for what `tc` or the kernel would refuse, and for what does nothing.
    func validate() throws {
        let shares = [
            ("loss", loss), ("duplicate", duplicate), ("corrupt", corrupt), ("reorder", delay?.reorder?.share),
        ]
        for case (let name, let share?) in shares {
            guard share.probability > 0, share.probability <= 1, 0...1 ~= share.correlation else {
                throw InvalidFault(detail: "\(name): probability is above 0, both are at most 1")
            }
        }
        if let delay {
            guard delay.latencyNs > 0, delay.jitterNs >= 0, 0...1 ~= delay.correlation else {
                throw InvalidFault(detail: "a delay needs a latency above 0, and a jitter and correlation not below")
            }
        }
        for rate in [rateBitsPerSecond, bandwidth?.bitsPerSecond] {
            guard rate ?? Self.slowest >= Self.slowest else { throw InvalidFault(detail: "a rate is 8 bit/s or more") }
        }
        if let bandwidth { try Self.validate(bandwidth) }
        guard self != Impairment() else { throw InvalidFault(detail: "an impairment that does nothing") }
    }

    private static func validate(_ bandwidth: Bandwidth) throws {
        guard bandwidth.bufferBytes > 0, bandwidth.limitBytes > 0 else {
            throw InvalidFault(detail: "a bandwidth needs a limit and a buffer above 0 bytes")
        }
        if let peak = bandwidth.peakBitsPerSecond {
            guard peak > bandwidth.bitsPerSecond, bandwidth.minburstBytes > 0 else {
                throw InvalidFault(detail: "a peakrate is above the rate, and needs a minburst")
            }
        }
    }
}

extension Duration {
    /// Cut off below a nanosecond.
    var wholeNanoseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds * 1_000_000_000 + attoseconds / 1_000_000_000
    }
}
