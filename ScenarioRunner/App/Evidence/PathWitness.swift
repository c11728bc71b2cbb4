import Experiments
import Load
import Shared
import Synchronization

/// What the payment replicas have counted of the calls that they made, before a fault and while it is in force.
///
/// ```
///   run:    | warm-up | baseline         | (inject) | fault              |
///   looks:            ^ begin            ^          ^ in force   ^ ^ ^ ^ each reading
///                       '----- before --'            '-- during --'
/// ```
///
/// In the cluster every replica is asked. At a desk it is the one behind the forwarded port, which says who it is.
final class PathWitness: Sendable {
    /// The counts of each replica that answered at one moment.
    struct Look: Sendable {
        struct Replica: Sendable {
            let counts: ReplicaCounts
            /// The process that counted: its number among those of its replica.
            let life: Int
        }

        let time: ContinuousClock.Instant
        let replicas: [String: Replica]
    }

    private struct Baseline {
        let begin: Look
        var end: Look?
    }

    private let system: SystemUnderTest
    private let client: HTTPClient
    /// By run.
    private let baselines = Mutex<[String: Baseline]>([:])

    init(system: SystemUnderTest, client: HTTPClient) {
        self.system = system
        self.client = client
    }

    // MARK: Baselines

    /// The baseline of a run begins now.
    func begin(_ run: String) async {
        let look = await look()
        baselines.withLock { $0[run] = Baseline(begin: look) }
    }

    /// Nobody asks for it any more.
    func end(_ run: String) {
        baselines.withLock { $0[run] = nil }
    }

    /// Ends the baseline when the first fault of a run comes; whoever comes later gets the same.
    ///
    /// - Parameter id: the run's, or for a part of a run one that begins with it.
    /// - Returns: nil for what has none.
    func baseline(of id: String) async -> (begin: Look, end: Look)? {
        guard let (run, baseline) = baselines.withLock({ $0.first { id.hasPrefix($0.key) } }) else { return nil }
        if let end = baseline.end { return (baseline.begin, end) }
        let end = await look()
        baselines.withLock { $0[run]?.end = end }
        return (baseline.begin, end)
    }

    // MARK: Looks

    func look() async -> Look {
        let reader = MetricsReader(client: client)
        guard system.reachesReplicas else {
            let answer = await reader.read(system.targets.payment)
            return look(answer.flatMap { answer in answer.replica.map { [$0: answer.text] } } ?? [:])
        }
        return await withTaskGroup(of: (String, String?).self) { group in
            for replica in system.replicas() where replica.tier == Self.caller.tier && replica.state == .up {
                group.addTask { (replica.name, await reader.read(replica)) }
            }
            var texts: [String: String] = [:]
            for await (name, text) in group { texts[name] = text }
            return look(texts)
        }
    }

    /// - Parameter texts: the `/metrics` of each replica.
    private func look(_ texts: [String: String]) -> Look {
        let lives = Dictionary(system.replicas().map { ($0.name, $0.restarts) }) { $1 }
        return Look(
            time: .now,
            replicas: texts.reduce(into: [:]) { replicas, text in
                replicas[text.key] = .init(counts: .init(metrics: text.value), life: lives[text.key] ?? 0)
            })
    }

    // MARK: Paths

    private static let caller = SystemUnderTest.services[0]
    private static let called: [(service: SystemUnderTest.Service, path: ReplicaCounts.Path)] = [
        (SystemUnderTest.services[1], .toInventory), (SystemUnderTest.services[2], .toNotification),
    ]

    /// The paths between services that a fault touches in full, with the callers it does so for: all that they send, or
    /// all that comes back, whichever replica of the other service it is for.
    func paths(in places: Set<FaultPlan.Place>) -> [(service: String, path: ReplicaCounts.Path, callers: [String])] {
        let replicas = system.replicas().filter { $0.state != .stopped }
        let callers = replicas.filter { $0.tier == Self.caller.tier }.map(\.name)
        return Self.called.compactMap { called in
            let others = replicas.filter { $0.tier == called.service.tier }.map(\.name)
            let touched = callers.filter { caller in
                others.allSatisfy { places.contains(.path(from: caller, to: $0)) }
                    || others.allSatisfy { places.contains(.path(from: $0, to: caller)) }
            }
            return others.isEmpty || touched.isEmpty ? nil : (called.service.name, called.path, touched)
        }
    }
}

extension PathWitness.Look {
    /// What came over a path since an earlier look, all of these callers together.
    ///
    /// - Parameter slowness: one of the bounds that durations are counted by.
    func counts(
        since earlier: PathWitness.Look, of path: ReplicaCounts.Path, at callers: [String], slowness: Duration
    ) -> TrafficCounts {
        callers.reduce(.none) { sum, name in
            guard let now = replicas[name], let before = earlier.replicas[name], now.life == before.life,
                let new = (now.counts.paths[path] ?? .init()).since(before.counts.paths[path] ?? .init())
            else { return sum }
            return sum
                + TrafficCounts(
                    calls: UInt64(new.total), touched: UInt64(new.total - new.good(within: slowness)),
                    seconds: earlier.time.duration(to: time).seconds)
        }
    }

    func knows(_ name: String) -> Bool { replicas[name] != nil }
}
