import Experiments

/// What became of requests, by cause. Every request is counted once, so that the counts add up to all of them.
public struct RequestCounts: Codable, Sendable, Equatable {
    /// Answered with 2xx.
    public var ok = 0
    /// Answered with 402: the bank's decision, which is an answer and not a failure.
    public var declined = 0
    /// Any other answer below 500: the request was not taken as it was.
    public var clientErrors = 0
    /// Answered with 5xx: the system says itself that it failed.
    public var serverErrors = 0
    /// No whole answer within the user's patience.
    public var timedOut = 0
    /// Refused, reset, or broken off.
    public var connectionFailed = 0
    /// Never sent: too many requests were under way already.
    public var dropped = 0

    public init() {}

    public init(_ samples: some Sequence<RequestSample>) {
        for sample in samples { add(sample.outcome) }
    }

    public mutating func add(_ outcome: RequestSample.Outcome) {
        switch outcome {
        case .status(402): declined += 1
        case .status(200..<300): ok += 1
        case .status(500...): serverErrors += 1
        case .status: clientErrors += 1
        case .timedOut: timedOut += 1
        case .connectionFailed: connectionFailed += 1
        case .dropped: dropped += 1
        }
    }

    public mutating func add(_ other: RequestCounts) {
        ok += other.ok
        declined += other.declined
        clientErrors += other.clientErrors
        serverErrors += other.serverErrors
        timedOut += other.timedOut
        connectionFailed += other.connectionFailed
        dropped += other.dropped
    }

    public var requests: Int { successes + clientErrors + serverErrors + timedOut + connectionFailed + dropped }
    /// Users who got an answer: `ok` and `declined`.
    public var successes: Int { ok + declined }
    /// 0 to 1; 1 when there were none.
    public var successRate: Double { requests == 0 ? 1 : Double(successes) / Double(requests) }

    enum CodingKeys: String, CodingKey {
        case ok, declined, dropped
        case clientErrors = "client_errors"
        case serverErrors = "server_errors"
        case timedOut = "timed_out"
        case connectionFailed = "connection_failed"
    }
}
