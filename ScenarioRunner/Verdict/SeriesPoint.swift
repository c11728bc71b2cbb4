import Experiments

/// One second of a run.
public struct SeriesPoint: Codable, Sendable, Equatable {
    /// The start of this second, in whole seconds from the start of the run.
    public let t: Int
    /// Of the requests due in this second. As JSON its members stand beside the others, so that a second is one line of
    /// numbers.
    public let counts: RequestCounts
    public let p50Ms: Double
    public let p95Ms: Double
    public let p99Ms: Double
    /// The part of the run in which the second began; absent while the fault is put on or taken off.
    public let phase: PhaseName?

    /// Requests due in this second.
    public var requests: Int { counts.requests }

    /// Every second from the start of the run to the last due request, seconds without requests included.
    public static func series(_ samples: [RequestSample], _ clock: PhaseClock) -> [SeriesPoint] {
        let seconds = Dictionary(grouping: samples.filter { $0.intendedNs >= clock.startNs }) {
            Int(($0.intendedNs - clock.startNs) / 1_000_000_000)
        }
        guard let last = seconds.keys.max() else { return [] }
        return (0...last).map { second in
            let samples = seconds[second] ?? []
            let latencies = ExactPercentiles(samples)
            return SeriesPoint(
                t: second, counts: RequestCounts(samples), p50Ms: latencies.ms(at: 50), p95Ms: latencies.ms(at: 95),
                p99Ms: latencies.ms(at: 99),
                phase: clock.phase(at: clock.startNs + UInt64(second) * 1_000_000_000))
        }
    }
}

extension SeriesPoint {
    private enum CodingKeys: String, CodingKey {
        case t, requests, phase
        case p50Ms = "p50_ms"
        case p95Ms = "p95_ms"
        case p99Ms = "p99_ms"
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            t: try container.decode(Int.self, forKey: .t), counts: try RequestCounts(from: decoder),
            p50Ms: try container.decode(Double.self, forKey: .p50Ms),
            p95Ms: try container.decode(Double.self, forKey: .p95Ms),
            p99Ms: try container.decode(Double.self, forKey: .p99Ms),
            phase: try container.decodeIfPresent(PhaseName.self, forKey: .phase))
    }

    public func encode(to encoder: any Encoder) throws {
        try counts.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(t, forKey: .t)
        try container.encode(requests, forKey: .requests)
        try container.encode(p50Ms, forKey: .p50Ms)
        try container.encode(p95Ms, forKey: .p95Ms)
        try container.encode(p99Ms, forKey: .p99Ms)
        try container.encodeIfPresent(phase, forKey: .phase)
    }
}

/// Percentiles of a few latencies by nearest rank: a histogram a second would cost more than the samples.
struct ExactPercentiles {
    private let sorted: [UInt64]

    init(_ samples: some Sequence<RequestSample>) {
        sorted = samples.map(\.latencyNs).sorted()
    }

    /// - Parameter percentile: more than 0, at most 100.
    /// - Returns: milliseconds; 0 when there are none.
    func ms(at percentile: Double) -> Double {
        guard !sorted.isEmpty else { return 0 }
        let rank = Int((percentile / 100 * Double(sorted.count)).rounded(.up))
        return Double(sorted[min(max(rank, 1), sorted.count) - 1]) / 1e6
    }
}
