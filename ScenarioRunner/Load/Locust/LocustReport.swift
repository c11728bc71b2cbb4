import Foundation

/// What a Locust says of itself: `GET /stats/requests` of a master, and every line of a child process.
public struct LocustReport: Decodable, Sendable, Equatable {
    /// Counts since its start of one endpoint or, with the name `Aggregated`, of all.
    public struct Entry: Decodable, Sendable, Equatable {
        let method: String?
        let name: String
        let requests: Int
        let failures: Int
        let meanMs: Double
        let medianMs: Double?
        let p95Ms: Double?
        let p99Ms: Double?
        let maxMs: Double
        let totalRps: Double
        /// Over the last ten seconds.
        let currentRps: Double

        enum CodingKeys: String, CodingKey {
            case method, name
            case requests = "num_requests"
            case failures = "num_failures"
            case meanMs = "avg_response_time"
            case medianMs = "median_response_time"
            case p95Ms = "response_time_percentile_0.95"
            case p99Ms = "response_time_percentile_0.99"
            case maxMs = "max_response_time"
            case totalRps = "total_rps"
            case currentRps = "current_rps"
        }
    }

    struct Failure: Decodable, Sendable, Equatable {
        let method: String
        let name: String
        let error: String
        let occurrences: Int
    }

    struct Exception: Decodable, Sendable, Equatable {
        let count: Int
        let msg: String
    }

    struct Percentiles: Decodable, Sendable, Equatable {
        let p50Ms: Double?
        let p95Ms: Double?

        enum CodingKeys: String, CodingKey {
            case p50Ms = "response_time_percentile_0.5"
            case p95Ms = "response_time_percentile_0.95"
        }
    }

    struct Worker: Decodable, Sendable, Equatable {
        let id: String
        let state: String
    }

    /// `ready`, `spawning`, `running`, `stopping`, `stopped`, ...
    public let state: String
    let userCount: Int
    let entries: [Entry]
    let errors: [Failure]
    /// What a master tells elsewhere.
    let exceptions: [Exception]?
    let percentiles: Percentiles?
    /// Of a master only.
    let workers: [Worker]?
    /// In the last line of a child process only.
    public let exitCode: Int?

    enum CodingKeys: String, CodingKey {
        case state, errors, exceptions, workers
        case userCount = "user_count"
        case entries = "stats"
        case percentiles = "current_response_time_percentiles"
        case exitCode = "exit_code"
    }

    /// Whether a test runs, or has not ended yet.
    public var isBusy: Bool { !["ready", "stopped", "missing"].contains(state) }

    /// The workers that a master can count on.
    public var liveWorkers: Int { (workers ?? []).count { $0.state != "missing" } }

    private var total: Entry? { entries.last { $0.name == "Aggregated" } }

    /// Now, in a few numbers.
    public func second(at time: Double) -> LocustSecond {
        LocustSecond(
            time: time, users: userCount, requests: total?.requests ?? 0, failures: total?.failures ?? 0,
            throughputRps: total?.currentRps ?? 0, p50Ms: percentiles?.p50Ms, p95Ms: percentiles?.p95Ms)
    }

    /// All of it, for a run that has ended.
    public var summary: LocustSummary {
        func figures(_ entry: Entry?) -> LocustFigures {
            LocustFigures(
                requests: entry?.requests ?? 0, failures: entry?.failures ?? 0, throughputRps: entry?.totalRps ?? 0,
                meanMs: entry?.meanMs ?? 0, p50Ms: entry?.medianMs, p95Ms: entry?.p95Ms, p99Ms: entry?.p99Ms,
                maxMs: entry?.maxMs ?? 0)
        }
        return LocustSummary(
            total: figures(total),
            endpoints: entries.filter { $0.name != "Aggregated" }.prefix(LocustSummary.maxEndpoints).map {
                .init(method: $0.method ?? "", name: $0.name, figures: figures($0))
            },
            errors: errors.prefix(LocustSummary.maxErrors).map {
                .init(method: $0.method, name: $0.name, error: $0.error, occurrences: $0.occurrences)
            },
            exceptions: (exceptions ?? []).prefix(LocustSummary.maxErrors).map {
                .init(message: $0.msg, occurrences: $0.count)
            })
    }
}
