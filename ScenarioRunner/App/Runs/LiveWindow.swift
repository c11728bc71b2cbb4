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
        let p50Ms: Double?
        let p95Ms: Double?

        enum CodingKeys: String, CodingKey {
            case time, phase, requests
            case runID = "run_id"
            case successRate = "success_rate"
            case p50Ms = "p50_ms"
            case p95Ms = "p95_ms"
        }
    }

    private struct State {
        var latenciesNs: [UInt64] = []
        var successes = 0
    }
    private let state = Mutex(State())
    /// More requests in one second are counted by a sample of this size.
    private static let maxSamples = 20_000

    func add(_ sample: RequestSample) {
        state.withLock { state in
            guard state.latenciesNs.count < Self.maxSamples else { return }
            state.latenciesNs.append(sample.latencyNs)
            if sample.isSuccess { state.successes += 1 }
        }
    }

    /// The second that ends now; the next one starts empty.
    func take(runID: String, phase: RunPhase?) -> Second {
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
        return Second(
            time: UnixTime.now.seconds, runID: runID, phase: phase, requests: sorted.count,
            successRate: sorted.isEmpty ? nil : Double(ended.successes) / Double(sorted.count),
            p50Ms: percentile(0.5), p95Ms: percentile(0.95))
    }
}

/// What a run is doing.
enum RunPhase: String, Codable, Sendable {
    case warmUp = "warm-up"
    case baseline, fault, recovery, settle
}
