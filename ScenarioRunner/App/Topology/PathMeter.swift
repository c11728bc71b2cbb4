import Shared

/// Makes numbers a second from what the payment replicas have counted since they began.
///
/// ```
///   a reading a second of each replica --> the newest less that of 5 s ago --> rate, success, p95
/// ```
struct PathMeter: Sendable {
    private struct Reading: Sendable {
        let counts: ReplicaCounts
        /// The process that counted: its number among those of its replica.
        let life: Int
        let time: ContinuousClock.Instant
    }

    static let window = Duration.seconds(5)
    /// Of a replica whose last reading is older nothing is known.
    static let freshness = Duration.seconds(3)
    /// Between two readings that say anything.
    private static let shortest = Duration.milliseconds(300)

    /// By replica, oldest first.
    private var readings: [String: [Reading]] = [:]

    mutating func add(
        _ counts: ReplicaCounts, of replica: String, life: Int, at time: ContinuousClock.Instant
    ) {
        readings[replica, default: []].removeAll { $0.life != life || $0.time.duration(to: time) > Self.window }
        readings[replica, default: []].append(Reading(counts: counts, life: life, time: time))
    }

    /// Forgets all others: in a cluster new replicas come under new names.
    mutating func keep(_ replicas: Set<String>) {
        readings = readings.filter { replicas.contains($0.key) }
    }

    /// Of all these replicas together; nil when nothing is known of any.
    func numbers(
        of path: ReplicaCounts.Path, at replicas: [String], now: ContinuousClock.Instant
    ) -> PathNumbers? {
        var counts = PathCounts()
        var rateRps: Double?
        for replica in replicas {
            guard let (new, duration) = change(of: path, at: replica, now: now) else { continue }
            counts.add(new)
            rateRps = (rateRps ?? 0) + new.total / duration.seconds
        }
        return rateRps.map {
            PathNumbers(
                rateRps: $0, successRate: counts.successRate, p95Ms: counts.p95Ms,
                seenBy: path == .fromUsers ? .callee : .caller)
        }
    }

    private func change(
        of path: ReplicaCounts.Path, at replica: String, now: ContinuousClock.Instant
    ) -> (counts: PathCounts, duration: Duration)? {
        guard let own = readings[replica], let first = own.first, let last = own.last,
            last.time.duration(to: now) <= Self.freshness, first.time.duration(to: last.time) >= Self.shortest,
            let new = (last.counts.paths[path] ?? .init()).since(first.counts.paths[path] ?? .init())
        else { return nil }
        return (new, first.time.duration(to: last.time))
    }
}
