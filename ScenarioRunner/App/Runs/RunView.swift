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

        enum CodingKeys: String, CodingKey { case before, during, after }
    }

    /// What the comparison of the books found.
    enum Money: String, Codable, Sendable {
        case right, wrong
        /// Nobody could compare them, or not to their end.
        case unchecked

        init(_ check: MoneyCheck) {
            self = check.violationCount > 0 ? .wrong : check.notChecked == nil ? .right : .unchecked
        }
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
    /// How many times the baseline's p95 the fault's was; nil when one of the two has no requests.
    var p95Factor: Double?
    var recoveryTimeMs: Int?
    /// Nil until the run has ended.
    var money: Money?
    /// The last second of load, while there is any.
    var live: LiveWindow.Second?

    enum CodingKeys: String, CodingKey {
        case id, experiment, origin, state, phase, verdict, reasons, money, live
        case phaseEndsAt = "phase_ends_at"
        case startedAt = "started_at"
        case endedAt = "ended_at"
        case successRate = "success_rate"
        case p95Factor = "p95_factor"
        case recoveryTimeMs = "recovery_time_ms"
    }
}

// Written out for their nulls: the synthesised ones leave nil members away, and "not known yet" is an answer.

extension RunView {
    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(id, forKey: .id)
        try container.encode(experiment, forKey: .experiment)
        try container.encode(origin, forKey: .origin)
        try container.encode(state, forKey: .state)
        try container.encode(phase, forKey: .phase)
        try container.encode(phaseEndsAt, forKey: .phaseEndsAt)
        try container.encode(startedAt, forKey: .startedAt)
        try container.encode(endedAt, forKey: .endedAt)
        try container.encode(verdict, forKey: .verdict)
        try container.encode(reasons, forKey: .reasons)
        try container.encode(successRate, forKey: .successRate)
        try container.encode(p95Factor, forKey: .p95Factor)
        try container.encode(recoveryTimeMs, forKey: .recoveryTimeMs)
        try container.encode(money, forKey: .money)
        try container.encode(live, forKey: .live)
    }
}

extension RunView.SuccessRates {
    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(before, forKey: .before)
        try container.encode(during, forKey: .during)
        try container.encode(after, forKey: .after)
    }
}

extension LiveWindow.Second {
    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(time, forKey: .time)
        try container.encode(runID, forKey: .runID)
        try container.encode(phase, forKey: .phase)
        try container.encode(requests, forKey: .requests)
        try container.encode(successRate, forKey: .successRate)
        try container.encode(declined, forKey: .declined)
        try container.encode(p50Ms, forKey: .p50Ms)
        try container.encode(p95Ms, forKey: .p95Ms)
        try container.encode(p99Ms, forKey: .p99Ms)
    }
}

extension RunView {
    /// A run that ended before this runner began.
    init(_ journal: Journal) {
        self.init(
            id: journal.runID, experiment: journal.experiment,
            origin: RunRequest.Origin(rawValue: journal.input.origin) ?? .api, state: .finished,
            startedAt: journal.startedAt)
        let last = journal.events.last.map { journal.startedAt + $0.t }
        finish(
            journal, at: journal.phases.map { $0.startedAt + $0.durationS }.max().map { max($0, last ?? $0) } ?? last)
    }

    /// - Parameter end: Unix seconds.
    mutating func finish(_ journal: Journal, at end: Double?) {
        state = .finished
        phase = nil
        phaseEndsAt = nil
        live = nil
        endedAt = end
        verdict = journal.verdict
        reasons = journal.reasons
        func rate(_ name: PhaseName) -> Double? {
            journal.phase(name).flatMap { $0.requests > 0 ? $0.successRate : nil }
        }
        successRate = SuccessRates(before: rate(.baseline), during: rate(.fault), after: rate(.recovery))
        p95Factor = journal.degradation.p95
        recoveryTimeMs = journal.recoveryTimeMs
        money = Money(journal.money)
    }
}
