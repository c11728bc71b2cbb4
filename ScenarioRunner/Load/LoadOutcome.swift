import Experiments

/// One request of a load that has come to its end, as its recorder counts it.
struct LoadOutcome {
    /// The place of its template.
    let place: Int
    let dueNs: UInt64
    let sentNs: UInt64
    let endedNs: UInt64
    let outcome: RequestSample.Outcome
    let isSuccess: Bool

    /// What a user would have waited.
    var latencyNs: UInt64 { endedNs - dueNs }
    var sendDelayNs: UInt64 { sentNs - dueNs }
    var isLateSend: Bool { sendDelayNs > RequestSample.lateSendNs }
}

/// Counts that every part of a load has.
struct LoadCounts: Sendable, Equatable {
    var requests = 0
    var successes = 0
    var declined = 0
    var lateSends = 0
    var dropped = 0

    mutating func add(_ outcome: LoadOutcome) {
        requests += 1
        if outcome.isSuccess { successes += 1 }
        if outcome.outcome == .status(402) { declined += 1 }
        if outcome.outcome == .dropped { dropped += 1 } else if outcome.isLateSend { lateSends += 1 }
    }

    /// 0 to 1; 1 when there were none.
    var successRate: Double { requests == 0 ? 1 : Double(successes) / Double(requests) }
}
