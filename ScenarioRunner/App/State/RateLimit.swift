import Foundation

/// How many experiments may run, and how soon after one another: a pure state machine.
///
/// ```
///   admit(at) --> place taken --> end(id) or its lease ends --> place free
///       '--> refusal: cooldown or no place, with the seconds to wait
/// ```
///
/// A place is a lease, not a counter: it frees itself when the experiment ended, failed or expired, so that no
/// crash can lock everyone out. A trigger that is refused, or that had no effect, starts no cooldown.
struct RateLimit: Sendable {
    static let maxConcurrent = 3

    /// The pause between two triggers: 1 minute locally, 5 in production.
    let cooldown: Duration
    private var lastTrigger: Trigger?
    private var leases: [String: ContinuousClock.Instant] = [:]

    private struct Trigger {
        let id: String
        let instant: ContinuousClock.Instant
        let time: Date
    }

    /// Why a trigger has to wait.
    enum Refusal: Equatable {
        case coolingDown(seconds: Int)
        case noPlace(seconds: Int)

        var seconds: Int {
            switch self {
            case .coolingDown(let seconds), .noPlace(let seconds): seconds
            }
        }
    }

    init(cooldown: Duration) { self.cooldown = cooldown }

    /// Takes a place until `lease` has passed or ``end(_:)`` is called, or says why not.
    ///
    /// - Parameter coolsDown: false for the command line, which keeps only the limit of places.
    mutating func admit(
        _ id: String, lease: Duration, coolsDown: Bool, at now: ContinuousClock.Instant, time: Date
    ) -> Refusal? {
        expire(at: now)
        if coolsDown {
            let remaining = cooldownRemaining(at: now)
            if remaining > 0 { return .coolingDown(seconds: remaining) }
        }
        if leases.count >= Self.maxConcurrent, let next = leases.values.min() {
            return .noPlace(seconds: now.duration(to: next).wholeSecondsUp)
        }
        leases[id] = now.advanced(by: lease)
        if coolsDown {
            lastTrigger = Trigger(id: id, instant: now, time: time)
        }
        return nil
    }

    /// Frees the place. A second call, or one for an expired lease, changes nothing.
    mutating func end(_ id: String) { leases[id] = nil }

    /// Frees the place of a trigger that had no effect, and takes back the cooldown that it started.
    mutating func cancel(_ id: String) {
        leases[id] = nil
        if lastTrigger?.id == id { lastTrigger = nil }
    }

    /// Forgets the cooldown. Running experiments keep their places.
    mutating func reset() { lastTrigger = nil }

    func cooldownRemaining(at now: ContinuousClock.Instant) -> Int {
        guard let lastTrigger else { return 0 }
        return max(0, now.duration(to: lastTrigger.instant.advanced(by: cooldown)).wholeSecondsUp)
    }

    func activeCount(at now: ContinuousClock.Instant) -> Int { leases.values.count { $0 > now } }

    /// The document of `GET /api/chaos-rate-limit-status`.
    func status(at now: ContinuousClock.Instant) -> RateLimitStatus {
        let remaining = cooldownRemaining(at: now)
        let active = activeCount(at: now)
        return RateLimitStatus(
            canTriggerNew: remaining == 0 && active < Self.maxConcurrent,
            cooldownMinutes: cooldown.minutes, cooldownRemainingSeconds: remaining, activeExperiments: active,
            lastTriggerTime: lastTrigger.map { $0.time.formatted(.iso8601) })
    }

    private mutating func expire(at now: ContinuousClock.Instant) { leases = leases.filter { $0.value > now } }
}

struct RateLimitStatus: Encodable, Sendable, Equatable {
    var status = "success"
    var canTriggerNew: Bool
    let cooldownMinutes: Double
    let cooldownRemainingSeconds: Int
    let activeExperiments: Int
    var maxConcurrent = RateLimit.maxConcurrent
    let lastTriggerTime: String?

    enum CodingKeys: String, CodingKey {
        case status
        case canTriggerNew = "can_trigger_new"
        case cooldownMinutes = "cooldown_minutes"
        case cooldownRemainingSeconds = "cooldown_remaining_seconds"
        case activeExperiments = "active_experiments"
        case maxConcurrent = "max_concurrent"
        case lastTriggerTime = "last_trigger_time"
    }

    // Written out, because the synthesised one leaves a nil member away and clients expect the null.
    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(status, forKey: .status)
        try container.encode(canTriggerNew, forKey: .canTriggerNew)
        try container.encode(cooldownMinutes, forKey: .cooldownMinutes)
        try container.encode(cooldownRemainingSeconds, forKey: .cooldownRemainingSeconds)
        try container.encode(activeExperiments, forKey: .activeExperiments)
        try container.encode(maxConcurrent, forKey: .maxConcurrent)
        try container.encode(lastTriggerTime, forKey: .lastTriggerTime)
    }
}

extension Duration {
    fileprivate var minutes: Double { Double(components.seconds) / 60 }
}
