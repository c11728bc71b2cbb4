import Experiments
import Shared
import Synchronization

/// The requests that ended in the current second, for the live picture. The report is made from the samples
/// themselves, not from this.
final class LiveWindow: Sendable {
    /// One second as the page draws it.
    struct Second: Codable, Sendable, Equatable {
        /// Unix seconds.
        let time: Double
        let runID: String
        let phase: RunPhase?
        let requests: Int
        /// 0 to 1; nil without requests.
        let successRate: Double?
        /// Of the successful ones, those in which a card was declined.
        let declined: Int
        let p50Ms: Double?
        let p95Ms: Double?
        let p99Ms: Double?

        enum CodingKeys: String, CodingKey {
            case time, phase, requests, declined
            case runID = "run_id"
            case successRate = "success_rate"
            case p50Ms = "p50_ms"
            case p95Ms = "p95_ms"
            case p99Ms = "p99_ms"
        }
    }

    private struct State {
        var latenciesNs: [UInt64] = []
        var successes = 0
        var declined = 0
    }
    private let state = Mutex(State())
    /// More requests in one second are counted by a sample of this size.
    private static let maxSamples = 20_000

    func add(_ sample: RequestSample) {
        state.withLock { state in
            guard state.latenciesNs.count < Self.maxSamples else { return }
            state.latenciesNs.append(sample.latencyNs)
            if sample.isSuccess { state.successes += 1 }
            if sample.isDeclined { state.declined += 1 }
        }
    }

    /// The second that ends now, for people and for stop conditions; the next one starts empty.
    func take(runID: String, phase: RunPhase?) -> (second: Second, part: MeasuredPart) {
        let ended = state.withLock { state in
            defer { state = State() }
            return state
        }
        let sorted = ended.latenciesNs.sorted()
        func percentile(_ share: Double) -> Double? {
            guard !sorted.isEmpty else { return nil }
            let index = min(sorted.count - 1, Int(share * Double(sorted.count)))
            return Double(sorted[index] / 1000) / 1000
        }
        func share(_ count: Int) -> Double? { sorted.isEmpty ? nil : Double(count) / Double(sorted.count) }
        var part = MeasuredPart()
        part.successPercent = share(ended.successes).map { $0 * 100 }
        part.declinedPercent = share(ended.declined).map { $0 * 100 }
        part.throughputRps = Double(ended.successes)
        (part.p50Ms, part.p90Ms, part.p95Ms) = (percentile(0.5), percentile(0.9), percentile(0.95))
        (part.p99Ms, part.p999Ms, part.maxMs) = (percentile(0.99), percentile(0.999), percentile(1))
        let second = Second(
            time: UnixTime.now.seconds, runID: runID, phase: phase, requests: sorted.count,
            successRate: share(ended.successes), declined: ended.declined, p50Ms: part.p50Ms, p95Ms: part.p95Ms,
            p99Ms: part.p99Ms)
        return (second, part)
    }
}

/// What a run is doing.
enum RunPhase: String, Codable, Sendable {
    case warmUp = "warm-up"
    case baseline, fault, recovery, settle
}
