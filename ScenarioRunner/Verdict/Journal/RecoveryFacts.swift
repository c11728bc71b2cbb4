/// How the system met the fault and how it came back.
public struct RecoveryFacts: Codable, Sendable, Equatable {
    /// From the fault in force to the first second in which users suffered; nil when none did.
    public var timeToDetectMs: Int?
    /// From the fault gone to the first of three good seconds in a row; nil when there were none.
    public var timeToRecoverMs: Int?
    /// From the fault gone until no more work waited than before it; nil when that never was, or was not looked at.
    public var backlogDrainedMs: Int?
    /// What was waiting, in the order of time; empty where it was not looked at.
    public var backlog: [BacklogSample]
    /// The end of the recovery against the baseline: what stays. Empty where too little of it was watched.
    public var residual: [Effect]
    /// Whether the fault was gone and the system stayed bad all the same; nil when that cannot be said.
    public var metastable: Bool?

    public init(
        timeToDetectMs: Int? = nil, timeToRecoverMs: Int? = nil, backlogDrainedMs: Int? = nil,
        backlog: [BacklogSample] = [], residual: [Effect] = [], metastable: Bool? = nil
    ) {
        self.timeToDetectMs = timeToDetectMs
        self.timeToRecoverMs = timeToRecoverMs
        self.backlogDrainedMs = backlogDrainedMs
        self.backlog = backlog
        self.residual = residual
        self.metastable = metastable
    }

    enum CodingKeys: String, CodingKey {
        case backlog, residual, metastable
        case timeToDetectMs = "time_to_detect_ms"
        case timeToRecoverMs = "time_to_recover_ms"
        case backlogDrainedMs = "backlog_drained_ms"
    }

    /// Written by hand for its nulls: "not recovered" is a finding.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(timeToDetectMs, forKey: .timeToDetectMs)
        try container.encode(timeToRecoverMs, forKey: .timeToRecoverMs)
        try container.encode(backlogDrainedMs, forKey: .backlogDrainedMs)
        try container.encode(backlog, forKey: .backlog)
        try container.encode(residual, forKey: .residual)
        try container.encode(metastable, forKey: .metastable)
    }
}

/// What was waiting in the system at one moment.
public struct BacklogSample: Codable, Sendable, Equatable {
    /// Seconds from the start of the run.
    public var t: Double
    /// Payments whose outcome is not known yet.
    public var pendingPayments: Int
    /// What settled payments still owe others: confirmations, releases and notifications.
    public var outbox: Int

    public init(t: Double, pendingPayments: Int, outbox: Int) {
        self.t = t
        self.pendingPayments = pendingPayments
        self.outbox = outbox
    }

    public var total: Int { pendingPayments + outbox }

    enum CodingKeys: String, CodingKey {
        case t, outbox
        case pendingPayments = "pending_payments"
    }
}
