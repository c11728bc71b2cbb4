import AsyncAlgorithms
import Foundation
import HTTPTypes
import Load
import ServiceLifecycle
import Shared
import Synchronization

/// Looks at the system once a second while a page listens, and tells the pages what has changed.
///
/// ```
///   payment replicas' /metrics --a second--> PathMeter --.
///   runs, load, Locust ------------------> UserMeter ----+--> TopologyDocument --changed?--> event "topology"
///   replicas' states, faults in force, failure modes ----'            '--> GET /api/topology
/// ```
///
/// Where nobody listens, nobody asks the replicas. They are asked at their own addresses; in the lab from the router, which
/// no fault of the lab's network touches.
final class TopologyWatch: Service, Sendable {
    /// Where the facts come from.
    struct Sources: Sendable {
        /// Those that have not ended.
        var runs: @Sendable () -> [RunView] = { [] }
        var failureModes: @Sendable () -> FailureModes = { .off }
        var failureModesHolder: @Sendable () -> String? = { nil }
        /// The running or the last one.
        var load: @Sendable () -> LoadView? = { nil }
        var locust: @Sendable () -> LocustRun? = { nil }
        /// A replica's `/metrics`; nil when it does not answer in time.
        var metrics: @Sendable (SystemUnderTest.Replica) async -> String? = { _ in nil }
    }

    private struct State {
        var meter = PathMeter()
        var users = UserMeter()
        /// When a picture was asked for that is no page's.
        var askedAt: ContinuousClock.Instant?
        /// What the pages know.
        var told: TopologyDocument?
    }

    /// From one look to the next.
    static let period = Duration.seconds(1)
    /// Whoever asks for a picture now and then is listened for so long.
    static let patience = Duration.seconds(10)

    let board: FaultBoard
    private let system: SystemUnderTest
    private let engine: String
    private let sources: Sources
    private let events: EventHub
    private let state = Mutex(State())

    /// - Parameter engine: the name of the one that makes the faults.
    init(system: SystemUnderTest, engine: String, sources: Sources, board: FaultBoard, events: EventHub) {
        self.system = system
        self.engine = engine
        self.sources = sources
        self.board = board
        self.events = events
    }

    /// As it is now. The numbers of the paths are those of the last look.
    var document: TopologyDocument {
        let (meter, users) = state.withLock { ($0.meter, $0.users) }
        let runs = sources.runs()
        return TopologyDocument(
            .init(
                site: .init(
                    engine: engine, namespace: system.namespace, reachesReplicas: system.reachesReplicas,
                    complaint: system.blindness()),
                replicas: system.replicas(), inForce: board.inForce,
                failureModes: sources.failureModes(), failureModesHolder: sources.failureModesHolder(), runs: runs,
                users: users.numbers(runs: runs, load: sources.load(), now: .now), meter: meter, now: .now))
    }

    /// The same for somebody who is no page: from now on a while the numbers are kept fresh for them too.
    func asked() -> TopologyDocument {
        state.withLock { $0.askedAt = .now }
        return document
    }

    func run() async throws {
        for await _ in AsyncTimerSequence(interval: Self.period, clock: .continuous).cancelOnGracefulShutdown() {
            await look()
        }
    }

    /// One second's work.
    func look() async {
        let isHeard = events.subscriberCount > 0
        let isWanted = state.withLock { state in
            if isHeard || state.askedAt.map({ $0.duration(to: .now) < Self.patience }) == true { return true }
            state = State()
            return false
        }
        guard isWanted else { return }
        await readMetrics()
        state.withLock { $0.users.hear(sources.locust()) }
        guard isHeard else { return }
        let now = document
        let isNews = state.withLock { state in
            defer { state.told = now }
            return state.told != now
        }
        if isNews { events.publish("topology", now) }
    }

    private func readMetrics() async {
        guard system.reachesReplicas else { return }
        let replicas = system.replicas()
        state.withLock { $0.meter.keep(Set(replicas.map(\.name))) }
        await withTaskGroup(of: Void.self) { group in
            for replica in replicas where replica.tier == "payment" && replica.state == .up {
                group.addTask { [self] in
                    guard let text = await sources.metrics(replica) else { return }
                    state.withLock {
                        $0.meter.add(.init(metrics: text), of: replica.name, life: replica.restarts, at: .now)
                    }
                }
            }
        }
    }
}

/// Reads the `/metrics` of replicas.
struct MetricsReader: Sendable {
    let client: HTTPClient

    /// Well below a second: the next look is not to wait for this one.
    private static let timeout = Duration.milliseconds(700)
    private static let maxBytes = 1024 * 1024

    @Sendable func read(_ replica: SystemUnderTest.Replica) async -> String? {
        await read("http://\(replica.address):\(replica.port)")?.text
    }

    /// Whoever answers there: its metrics, and the replica that it is, as far as it says so.
    func read(_ baseURL: String) async -> (replica: String?, text: String)? {
        let request = HTTPClientRequest(
            url: "\(baseURL)/metrics", timeout: Self.timeout, maxResponseBytes: Self.maxBytes)
        guard let response = try? await client.execute(request), response.status == 200 else { return nil }
        return (response.headers[.servedBy], String(decoding: response.body, as: UTF8.self))
    }
}
