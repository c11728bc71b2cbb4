import Experiments
import Histogram

/// What the users met in one part of a run.
///
/// Percentiles are over *all* requests, by the time that their user waited: a failed one counts with the time until it
/// failed, and one that could not be sent with its whole timeout. To leave failures out would make a system that
/// refuses half of its users look quick.
public struct PhaseSummary: Codable, Sendable, Equatable {
    public let name: PhaseName
    /// Unix seconds.
    public let startedAt: Double
    public let durationS: Double
    /// Requests due in this part, dropped ones included.
    public let requests: Int
    /// 0 to 1: answered with 2xx, or declined; 1 when there were none.
    public let successRate: Double
    /// Answered with 402: an answer, not a failure.
    public let declined: Int
    /// What became of the requests.
    public let byCause: RequestCounts
    /// Successful answers a second.
    public let throughputRps: Double
    public let p50Ms: Double
    public let p90Ms: Double
    public let p95Ms: Double
    public let p99Ms: Double
    public let p999Ms: Double
    public let maxMs: Double
    /// Requests sent more than 1 ms after they were due: the generator, not the system, was slow.
    public let lateSends: Int
    /// Requests that could not be sent, for too many were under way.
    public let dropped: Int

    enum CodingKeys: String, CodingKey {
        case name, requests, declined, dropped
        case startedAt = "started_at"
        case durationS = "duration_s"
        case successRate = "success_rate"
        case byCause = "by_cause"
        case throughputRps = "throughput_rps"
        case p50Ms = "p50_ms"
        case p90Ms = "p90_ms"
        case p95Ms = "p95_ms"
        case p99Ms = "p99_ms"
        case p999Ms = "p999_ms"
        case maxMs = "max_ms"
        case lateSends = "late_sends"
    }

    /// - Parameters:
    ///   - samples: those of this part only.
    ///   - startedAt: Unix seconds.
    ///   - durationS: more than 0, in seconds.
    public init(name: PhaseName, samples: [RequestSample], startedAt: Double, durationS: Double) {
        let latencies = LatencyDistribution(samples)
        let counts = RequestCounts(samples)
        self.name = name
        self.startedAt = startedAt
        self.durationS = durationS
        requests = counts.requests
        successRate = counts.successRate
        declined = counts.declined
        byCause = counts
        throughputRps = durationS > 0 ? Double(counts.successes) / durationS : 0
        p50Ms = latencies.ms(at: 50)
        p90Ms = latencies.ms(at: 90)
        p95Ms = latencies.ms(at: 95)
        p99Ms = latencies.ms(at: 99)
        p999Ms = latencies.ms(at: 99.9)
        maxMs = latencies.ms(at: 100)
        lateSends = samples.count { $0.isLateSend }
        dropped = counts.dropped
    }

    /// The baseline, fault and recovery of a run, those that it came to; the warm-up is not reported.
    ///
    /// - Parameter startedAt: Unix seconds of the run's start.
    public static func all(_ samples: [RequestSample], _ clock: PhaseClock, startedAt: Double) -> [PhaseSummary] {
        [PhaseName.baseline, .fault, .recovery].compactMap { name in
            guard let window = clock.windows[name] else { return nil }
            return PhaseSummary(
                name: name, samples: clock.samples(samples, in: name),
                startedAt: startedAt + seconds(from: clock.startNs, to: window.lowerBound),
                durationS: seconds(from: window.lowerBound, to: window.upperBound))
        }
    }
}

/// Latencies to three digits, in microseconds, from 1 us to an hour.
struct LatencyDistribution {
    private static let highestMicroseconds: UInt64 = 3_600_000_000

    private var histogram = Histogram<UInt64>(
        highestTrackableValue: highestMicroseconds, numberOfSignificantValueDigits: .three)

    init(_ samples: [RequestSample]) {
        for sample in samples { histogram.record(min(sample.latencyNs / 1000, Self.highestMicroseconds)) }
    }

    /// - Parameter percentile: 0 to 100.
    /// - Returns: milliseconds; 0 when nothing was recorded.
    func ms(at percentile: Double) -> Double {
        histogram.totalCount == 0 ? 0 : Double(histogram.valueAtPercentile(percentile)) / 1000
    }
}

/// Signed seconds between two instants of one clock.
func seconds(from start: UInt64, to end: UInt64) -> Double {
    end >= start ? Double(end - start) / 1e9 : -Double(start - end) / 1e9
}
