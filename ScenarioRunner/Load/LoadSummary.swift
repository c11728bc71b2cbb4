import Experiments
import Foundation

/// What the users of a load met, from the first request to the last.
///
/// Percentiles are over *all* requests, by the time that their user waited from when the request was due: a failed one
/// counts with the time until it failed, and one that could not be sent with its whole timeout.
public struct LoadSummary: Codable, Sendable, Equatable {
    /// One kind of request.
    public struct Part: Codable, Sendable, Equatable {
        public let name: String
        public let requests: Int
        public let successRate: Double
        public let p50Ms: Double
        public let p95Ms: Double
        public let p99Ms: Double
        public let maxMs: Double

        enum CodingKeys: String, CodingKey {
            case name, requests
            case successRate = "success_rate"
            case p50Ms = "p50_ms"
            case p95Ms = "p95_ms"
            case p99Ms = "p99_ms"
            case maxMs = "max_ms"
        }
    }

    /// A threshold of the profile and whether it held.
    public struct Finding: Codable, Sendable, Equatable {
        /// `p99 <= 250ms`
        public let threshold: String
        public let held: Bool
        /// `p99 812ms`
        public let measured: String
    }

    /// The profile's name.
    public var name = ""
    public var baseURL = ""
    /// Unix seconds.
    public var startedAt = 0.0
    /// From the first to the last due request, in seconds; less than asked when somebody ended the load.
    public var durationS = 0.0
    public var wasStopped = false
    public var model = ""
    /// Nil in a closed model.
    public var arrivals: ArrivalSchedule.Arrivals?
    /// In a closed model.
    public var users: Int?
    public var seed: UInt64 = 0
    /// Requests due a second, whether they could be sent or not.
    public var rateRps = 0.0
    public var requests = 0
    /// 0 to 1: answered as the profile expects, or with 2xx or declined where it does not say.
    public var successRate = 1.0
    public var declined = 0
    /// Successful answers a second.
    public var throughputRps = 0.0
    public var p50Ms = 0.0
    public var p90Ms = 0.0
    public var p95Ms = 0.0
    public var p99Ms = 0.0
    public var p999Ms = 0.0
    public var maxMs = 0.0
    /// Requests sent more than 1 ms after they were due: the generator, not the system, was slow.
    public var lateSends = 0
    /// Requests that could not be sent, for too many were under way.
    public var dropped = 0
    /// The most requests that were under way at a time.
    public var mostInFlight = 0
    /// How many requests ended how: by status, and as timed_out, connection_failed, dropped.
    public var byStatus: [String: Int] = [:]
    public var byRequest: [Part] = []
    /// Processor time of the generator's process for each request that was sent; nil when it is not known.
    public var cpuUsPerRequest: Double?
    public var thresholds: [Finding] = []

    public var heldThresholds: Bool { thresholds.allSatisfy(\.held) }

    enum CodingKeys: String, CodingKey {
        case name, model, arrivals, users, seed, requests, declined, dropped, thresholds
        case baseURL = "base_url"
        case startedAt = "started_at"
        case durationS = "duration_s"
        case wasStopped = "stopped"
        case rateRps = "rate_rps"
        case successRate = "success_rate"
        case throughputRps = "throughput_rps"
        case p50Ms = "p50_ms"
        case p90Ms = "p90_ms"
        case p95Ms = "p95_ms"
        case p99Ms = "p99_ms"
        case p999Ms = "p999_ms"
        case maxMs = "max_ms"
        case lateSends = "late_sends"
        case mostInFlight = "most_in_flight"
        case byStatus = "by_status"
        case byRequest = "by_request"
        case cpuUsPerRequest = "cpu_us_per_request"
    }

    public init() {}

    public func json() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(self) + Data("\n".utf8)
    }

    /// As hypotheses see it.
    var part: MeasuredPart {
        var part = MeasuredPart()
        part.successPercent = successRate * 100
        part.declinedPercent = requests == 0 ? nil : Double(declined) / Double(requests) * 100
        part.throughputRps = throughputRps
        (part.p50Ms, part.p90Ms, part.p95Ms) = (p50Ms, p90Ms, p95Ms)
        (part.p99Ms, part.p999Ms, part.maxMs) = (p99Ms, p999Ms, maxMs)
        return part
    }
}

/// The requests of a load that were due in one second.
public struct LoadSecond: Codable, Sendable, Equatable {
    /// The start of the second, in whole seconds from the start of the load.
    public let t: Int
    public let requests: Int
    public let ok: Int
    public let declined: Int
    public let lateSends: Int
    public let dropped: Int
    public let p50Ms: Double
    public let p95Ms: Double
    public let p99Ms: Double
    public let maxMs: Double

    enum CodingKeys: String, CodingKey {
        case t, requests, ok, declined, dropped
        case lateSends = "late_sends"
        case p50Ms = "p50_ms"
        case p95Ms = "p95_ms"
        case p99Ms = "p99_ms"
        case maxMs = "max_ms"
    }

    /// The columns of ``csvLine``.
    public static let csvHeader = "second,requests,ok,declined,late_sends,dropped,p50_ms,p95_ms,p99_ms,max_ms"

    public var csvLine: String {
        let times = [p50Ms, p95Ms, p99Ms, maxMs].map { String(format: "%.3f", $0) }
        return ([t, requests, ok, declined, lateSends, dropped].map(String.init) + times).joined(separator: ",")
    }
}

/// How a load goes, once a second.
public struct LoadProgress: Codable, Sendable, Equatable {
    /// Seconds since the start.
    public let elapsedS: Double
    /// Requests that have ended so far, and of them those that succeeded, were sent late, and were not sent.
    public let requests: Int
    public let ok: Int
    public let lateSends: Int
    public let dropped: Int
    public let inFlight: Int
    /// Of the last second: requests that ended in it, those that succeeded, and what their users had waited; nil
    /// without requests.
    public let recentRequests: Int
    public let recentOk: Int
    public let recentP50Ms: Double?
    public let recentP95Ms: Double?
    public let recentP99Ms: Double?

    enum CodingKeys: String, CodingKey {
        case requests, ok, dropped
        case elapsedS = "elapsed_s"
        case lateSends = "late_sends"
        case inFlight = "in_flight"
        case recentRequests = "recent_requests"
        case recentOk = "recent_ok"
        case recentP50Ms = "recent_p50_ms"
        case recentP95Ms = "recent_p95_ms"
        case recentP99Ms = "recent_p99_ms"
    }
}

extension LoadSummary {
    /// With what only the profile can tell: its name and whether its thresholds held.
    public func completed(by profile: LoadProfile, baseURL: String?) -> LoadSummary {
        var summary = self
        summary.name = profile.name
        summary.baseURL = baseURL ?? profile.baseURL ?? ""
        summary.thresholds = profile.findings(self)
        return summary
    }
}
