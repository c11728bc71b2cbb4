import Shared

/// What went over a path since a process began, as its `/metrics` tell: a histogram of durations, and how many of them
/// ended well.
struct PathCounts: Sendable, Equatable {
    /// Requests that took up to so many seconds, by the bound; the last bound is infinite.
    private(set) var upTo: [Double: Double] = [:]
    /// Those of them that ended well.
    private var goodUpTo: [Double: Double] = [:]

    /// All of them.
    var total: Double { upTo[.infinity] ?? 0 }
    var good: Double { goodUpTo[.infinity] ?? 0 }
    var successRate: Double? { total > 0 ? good / total : nil }

    /// Requests that ended well, and took no longer than the largest bound that is not above this time.
    func good(within limit: Duration) -> Double {
        // Bounds come as text, and are not to the last bit what a duration makes of them.
        let most = limit.seconds * 1.000_001
        return goodUpTo.filter { $0.key <= most }.max { $0.key < $1.key }?.value ?? 0
    }

    mutating func add(_ other: PathCounts) {
        upTo.merge(other.upTo, uniquingKeysWith: +)
        goodUpTo.merge(other.goodUpTo, uniquingKeysWith: +)
    }

    /// What came since `earlier`; nil when the counts were begun anew.
    func since(_ earlier: PathCounts) -> PathCounts? {
        var new = self
        for (bound, count) in earlier.upTo { new.upTo[bound, default: 0] -= count }
        for (bound, count) in earlier.goodUpTo { new.goodUpTo[bound, default: 0] -= count }
        return [new.upTo, new.goodUpTo].allSatisfy { $0.values.allSatisfy { $0 >= 0 } } ? new : nil
    }

    /// The time that 95 % were done in, interpolated between the bounds of its bucket as if they were spread evenly
    /// over it; beyond the last finite bound that bound. Nil without requests.
    var p95Ms: Double? {
        guard total > 0 else { return nil }
        let rank = 0.95 * total
        var (lower, before) = (0.0, 0.0)
        for (bound, count) in upTo.sorted(by: { $0.key < $1.key }) {
            guard count < rank else {
                let share = count > before ? (rank - before) / (count - before) : 1
                return (bound.isFinite ? lower + share * (bound - lower) : lower) * 1000
            }
            (lower, before) = (bound, count)
        }
        return lower * 1000
    }

    fileprivate mutating func count(_ number: Double, upTo bound: Double, isGood: Bool) {
        upTo[bound, default: 0] += number
        if isGood { goodUpTo[bound, default: 0] += number }
    }
}

/// What a payment replica counts of the paths that begin or end at it.
struct ReplicaCounts: Sendable, Equatable {
    enum Path: Sendable, CaseIterable {
        /// Users' requests that arrived and were answered.
        case fromUsers
        /// Attempts of calls, as the replica sees them.
        case toInventory, toNotification
    }

    private(set) var paths: [Path: PathCounts] = [:]

    /// The largest bound that durations are counted by, of those that are no longer than this; nil when all are.
    static func bound(within duration: Duration) -> Duration? {
        MetricsRegistry.bucketsSeconds.last { $0 <= duration.seconds }.map { .seconds($0) }
    }

    static let attemptsMetric = "downstream_attempt_duration_seconds_bucket"
    static let answersMetric = "http_server_request_duration_seconds_bucket"
    /// The runner's own, which reads the books.
    private static let routesOfTheRunner = ["/payment/audit", "/payment/events/{id}"]

    /// - Parameter metrics: the text of `GET /metrics`; lines that do not concern these paths are passed over.
    init(metrics: String) {
        for text in metrics.split(separator: "\n")
        where text.hasPrefix(Self.attemptsMetric) || text.hasPrefix(Self.answersMetric) {
            guard let line = MetricLine(text), let bound = line.bound, let (path, isGood) = Self.path(of: line) else {
                continue
            }
            paths[path, default: .init()].count(line.value, upTo: bound, isGood: isGood)
        }
    }

    private static func path(of line: MetricLine) -> (Path, isGood: Bool)? {
        if line.name == attemptsMetric {
            let isGood = line.labels["outcome"] == "answered"
            switch line.labels["service"] {
            case "inventory": return (.toInventory, isGood)
            case "notification": return (.toNotification, isGood)
            default: return nil
            }
        }
        guard let route = line.labels["route"], route.hasPrefix("/payment/"),
            !routesOfTheRunner.contains(String(route))
        else { return nil }
        // As the users' own samples judge: a declined card is an answer.
        let status = line.labels["status"] ?? ""
        return (.fromUsers, status.hasPrefix("2") || status == "402")
    }
}

/// One line of the Prometheus text format, as ``MetricsRegistry`` writes it: `name{label="value",...} number`.
private struct MetricLine {
    let name: Substring
    /// Escapes are left as they stand: no label that is asked for has any.
    let labels: [Substring: Substring]
    let value: Double

    init?(_ line: Substring) {
        guard let open = line.firstIndex(of: "{"), let close = line.lastIndex(of: "}"), open < close,
            let value = Double(line[close...].dropFirst(2))
        else { return nil }
        name = line[..<open]
        self.value = value
        var labels: [Substring: Substring] = [:]
        for pair in line[line.index(after: open)..<close].split(separator: ",") {
            let halves = pair.split(separator: "=", maxSplits: 1)
            if halves.count == 2 { labels[halves[0]] = halves[1].dropFirst().dropLast() }
        }
        self.labels = labels
    }

    /// The upper bound of a bucket, in seconds.
    var bound: Double? { labels["le"].flatMap { $0 == "+Inf" ? .infinity : Double($0) } }
}
