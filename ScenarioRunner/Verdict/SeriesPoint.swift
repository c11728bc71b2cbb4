import Experiments

/// One second of a run.
public struct SeriesPoint: Codable, Sendable, Equatable {
    /// The start of this second, in whole seconds from the start of the run.
    public let t: Int
    /// Requests due in this second.
    public let requests: Int
    /// Those that succeeded.
    public let ok: Int
    public let p50Ms: Double
    public let p95Ms: Double
    /// The part of the run in which the second began; absent while the fault is put on or taken off.
    public let phase: PhaseName?

    enum CodingKeys: String, CodingKey {
        case t, requests, ok, phase
        case p50Ms = "p50_ms"
        case p95Ms = "p95_ms"
    }

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
                t: second, requests: samples.count, ok: samples.count { $0.isSuccess },
                p50Ms: latencies.ms(at: 50), p95Ms: latencies.ms(at: 95),
                phase: clock.phase(at: clock.startNs + UInt64(second) * 1_000_000_000))
        }
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
