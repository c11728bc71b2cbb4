import Foundation
import Shared
import Verdict

/// A run as the API and the page show it.
struct RunView: Codable, Sendable, Equatable {
    enum State: String, Codable, Sendable {
        case starting, running, stopping, finished
    }

    struct SuccessRates: Codable, Sendable, Equatable {
        let before: Double?
        let during: Double?
        let after: Double?
    }

    let id: String
    let experiment: String
    let origin: RunRequest.Origin
    var state: State
    var phase: RunPhase?
    /// Unix seconds.
    var phaseEndsAt: Double?
    let startedAt: Double
    var endedAt: Double?
    var verdict: Verdict?
    var reasons: [String] = []
    var successRate: SuccessRates?
    var recoveryTimeMs: Int?
    /// The last second of load, while there is any.
    var live: LiveWindow.Second?

    enum CodingKeys: String, CodingKey {
        case id, experiment, origin, state, phase, verdict, reasons, live
        case phaseEndsAt = "phase_ends_at"
        case startedAt = "started_at"
        case endedAt = "ended_at"
        case successRate = "success_rate"
        case recoveryTimeMs = "recovery_time_ms"
    }
}
