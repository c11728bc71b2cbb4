import Experiments
import Foundation

/// Decides which experiments may start: a pure state machine.
///
/// ```
///   admit --halted? cooldown? no place? conflict? too wide?--> refusal, and nothing has changed
///     '--> active --end, or its lease ends--> gone
///   halt --> nothing is admitted until rearm
/// ```
struct Governor: Sendable {
    /// What wants to start.
    struct Candidate: Sendable {
        let id: String
        let experiment: String
        let plan: FaultPlan
        /// Until its fault is gone, with room for injection and removal.
        let lease: Duration
        /// False for the command line, which keeps only the limit of places and the conflicts.
        let coolsDown: Bool
    }

    /// Why it may not, in the order in which the reasons are looked at.
    enum Refusal: Equatable {
        case halted
        case coolingDown(seconds: Int)
        case noPlace(seconds: Int)
        /// `id` runs the same experiment, or acts in the same place.
        case conflict(id: String, experiment: String, place: String?, seconds: Int)
        /// With what is in force, every replica of every service would be touched until so long has passed; without a
        /// time by itself.
        case tooWide(seconds: Int?)
    }

    private struct Active: Sendable {
        let experiment: String
        let plan: FaultPlan
        let endsAt: ContinuousClock.Instant
    }

    private(set) var isHalted = false
    private var rateLimit: RateLimit
    private var active: [String: Active] = [:]
    /// Every replica of every service; in a cluster they come and go.
    var allReplicas: Set<String> = []
    private let allowsTotal: Bool

    /// - Parameter allowsTotal: whether faults may touch every replica of every service at once.
    init(cooldown: Duration, allowsTotal: Bool) {
        rateLimit = RateLimit(cooldown: cooldown)
        self.allowsTotal = allowsTotal
    }

    /// Lets it in, or says why not.
    mutating func admit(_ candidate: Candidate, at now: ContinuousClock.Instant, time: Date) -> Refusal? {
        forgetExpired(at: now)
        if isHalted { return .halted }
        var limit = rateLimit
        switch limit.admit(
            candidate.id, lease: candidate.lease, coolsDown: candidate.coolsDown, at: now, time: time)
        {
        case .coolingDown(let seconds): return .coolingDown(seconds: seconds)
        case .noPlace(let seconds): return .noPlace(seconds: seconds)
        case nil: break
        }
        if let refusal = conflict(candidate, at: now) ?? width(candidate, at: now) { return refusal }
        rateLimit = limit
        active[candidate.id] = Active(
            experiment: candidate.experiment, plan: candidate.plan, endsAt: now.advanced(by: candidate.lease))
        return nil
    }

    /// Its fault is gone. A second call changes nothing.
    mutating func end(_ id: String) {
        rateLimit.end(id)
        active[id] = nil
    }

    /// There never was a fault: the cooldown that it started is taken back too.
    mutating func cancel(_ id: String) {
        rateLimit.cancel(id)
        active[id] = nil
    }

    mutating func halt() { isHalted = true }
    mutating func rearm() { isHalted = false }

    /// Forgets the cooldown. Running experiments keep their places.
    mutating func resetCooldown() { rateLimit.reset() }

    func status(at now: ContinuousClock.Instant) -> RateLimitStatus {
        var status = rateLimit.status(at: now)
        if isHalted { status.canTriggerNew = false }
        return status
    }

    func activeCount(at now: ContinuousClock.Instant) -> Int { rateLimit.activeCount(at: now) }

    private mutating func forgetExpired(at now: ContinuousClock.Instant) {
        active = active.filter { $0.value.endsAt > now }
    }

    private func conflict(_ candidate: Candidate, at now: ContinuousClock.Instant) -> Refusal? {
        for (id, other) in active.sorted(by: { $0.value.endsAt < $1.value.endsAt }) {
            let shared = other.plan.places.intersection(candidate.plan.places).map(\.description).sorted().first
            guard shared != nil || other.experiment == candidate.experiment else { continue }
            return .conflict(
                id: id, experiment: other.experiment,
                place: other.experiment == candidate.experiment ? nil : shared,
                seconds: now.duration(to: other.endsAt).wholeSecondsUp)
        }
        return nil
    }

    /// Whether it alone would touch every replica of every service, and may not.
    func isTooWide(_ plan: FaultPlan) -> Bool {
        !allowsTotal && !allReplicas.isEmpty && allReplicas.isSubset(of: plan.replicas)
    }

    private func width(_ candidate: Candidate, at now: ContinuousClock.Instant) -> Refusal? {
        guard !allowsTotal, !allReplicas.isEmpty else { return nil }
        // Waiting does not make it any narrower.
        if isTooWide(candidate.plan) { return .tooWide(seconds: nil) }
        var others = active.values.sorted { $0.endsAt < $1.endsAt }
        var wait: Int?
        while allReplicas.isSubset(of: others.reduce(Set(candidate.plan.replicas)) { $0.union($1.plan.replicas) }) {
            wait = now.duration(to: others.removeFirst().endsAt).wholeSecondsUp
        }
        return wait.map { .tooWide(seconds: $0) }
    }
}

extension Duration {
    /// Whole seconds, rounded up: waiting that long is enough.
    var wholeSecondsUp: Int {
        let (seconds, attoseconds) = components
        return Int(seconds) + (attoseconds > 0 ? 1 : 0)
    }
}
