/// How a Locust run goes, once a second. Counts are from its start.
public struct LocustSecond: Codable, Sendable, Equatable {
    /// Unix seconds.
    public let time: Double
    public let users: Int
    public let requests: Int
    public let failures: Int
    /// Over the last ten seconds, as Locust counts it.
    public let throughputRps: Double
    /// Of the last ten seconds; nil without requests.
    public let p50Ms: Double?
    public let p95Ms: Double?

    enum CodingKeys: String, CodingKey {
        case time, users, requests, failures
        case throughputRps = "throughput_rps"
        case p50Ms = "p50_ms"
        case p95Ms = "p95_ms"
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(time, forKey: .time)
        try container.encode(users, forKey: .users)
        try container.encode(requests, forKey: .requests)
        try container.encode(failures, forKey: .failures)
        try container.encode(throughputRps, forKey: .throughputRps)
        try container.encode(p50Ms, forKey: .p50Ms)
        try container.encode(p95Ms, forKey: .p95Ms)
    }
}

/// Counts and times of one endpoint, or of a whole run. Locust rounds times above 100 ms to two digits.
public struct LocustFigures: Codable, Sendable, Equatable {
    public let requests: Int
    public let failures: Int
    public let throughputRps: Double
    public let meanMs: Double
    public let p50Ms: Double?
    public let p95Ms: Double?
    public let p99Ms: Double?
    public let maxMs: Double

    enum CodingKeys: String, CodingKey {
        case requests, failures
        case throughputRps = "throughput_rps"
        case meanMs = "mean_ms"
        case p50Ms = "p50_ms"
        case p95Ms = "p95_ms"
        case p99Ms = "p99_ms"
        case maxMs = "max_ms"
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(requests, forKey: .requests)
        try container.encode(failures, forKey: .failures)
        try container.encode(throughputRps, forKey: .throughputRps)
        try container.encode(meanMs, forKey: .meanMs)
        try container.encode(p50Ms, forKey: .p50Ms)
        try container.encode(p95Ms, forKey: .p95Ms)
        try container.encode(p99Ms, forKey: .p99Ms)
        try container.encode(maxMs, forKey: .maxMs)
    }
}

/// What a Locust run found.
public struct LocustSummary: Codable, Sendable, Equatable {
    public static let maxEndpoints = 100
    public static let maxErrors = 50

    public struct Endpoint: Codable, Sendable, Equatable {
        public let method: String
        /// As the profile calls it: `/payment/status/[id]`.
        public let name: String
        public let figures: LocustFigures
    }

    /// Answers that the profile calls a failure.
    public struct Failure: Codable, Sendable, Equatable {
        public let method: String
        public let name: String
        public let error: String
        public let occurrences: Int
    }

    /// What the profile itself did wrong.
    public struct Exception: Codable, Sendable, Equatable {
        public let message: String
        public let occurrences: Int
    }

    public let total: LocustFigures
    public let endpoints: [Endpoint]
    public let errors: [Failure]
    public let exceptions: [Exception]
}
