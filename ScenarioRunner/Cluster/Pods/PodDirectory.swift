import Logging
import ServiceLifecycle
import Synchronization

/// The pods of the namespace, followed by list and watch.
///
/// ```
///   run: list --resourceVersion--> watch --events--> snapshot()
///          ^------ 410, broken ------'
/// ```
public final class PodDirectory: Service {
    public struct Snapshot: Sendable, Equatable {
        /// By name.
        public var pods: [PodFacts] = []
        /// When it was last known to be the truth; nil before the first list. While nothing changes, a bookmark comes
        /// about once a minute.
        public var heardFrom: ContinuousClock.Instant?
    }

    private struct State {
        var pods: [String: PodFacts] = [:]
        var heardFrom: ContinuousClock.Instant?
        var changes = 0
        var listeners: [Int: AsyncStream<Snapshot>.Continuation] = [:]
        var nextListener = 0

        var snapshot: Snapshot {
            Snapshot(pods: pods.values.sorted { $0.name < $1.name }, heardFrom: heardFrom)
        }
    }

    private let api: KubernetesAPI
    private let logger: Logger
    private let state = Mutex(State())

    public init(_ api: KubernetesAPI, logger: Logger) {
        self.api = api
        self.logger = logger
    }

    /// As it was last told; never waits.
    public func snapshot() -> Snapshot { state.withLock { $0.snapshot } }

    /// The pods as the API server lists them now; they become the snapshot.
    ///
    /// - Throws: ``ClusterError``, `CancellationError`.
    @discardableResult
    public func refresh() async throws -> Snapshot {
        let before = state.withLock { $0.changes }
        let facts = facts(try await api.list(.pods, as: PodObject.self).items)
        // What the watch has told meanwhile may be newer.
        if state.withLock({ $0.changes }) == before { take(facts) }
        return Snapshot(pods: facts.sorted { $0.name < $1.name }, heardFrom: .now)
    }

    /// Every change of the snapshot, the newest only, beginning with what it is now.
    public var changes: AsyncStream<Snapshot> {
        AsyncStream(bufferingPolicy: .bufferingNewest(1)) { continuation in
            let id = state.withLock { state in
                state.nextListener += 1
                state.listeners[state.nextListener] = continuation
                continuation.yield(state.snapshot)
                return state.nextListener
            }
            continuation.onTermination = { [weak self] _ in
                self?.state.withLock { $0.listeners[id] = nil }
            }
        }
    }

    /// Follows the pods until the task is cancelled or the service shut down. Never throws: what fails is tried again.
    public func run() async throws {
        await cancelWhenGracefulShutdown { [self] in
            await KubernetesFollower<PodObject>(
                api: api, resource: .pods, logger: logger, listed: { [self] in take(facts($0)) },
                told: { [self] in take($0) }
            ).run()
        }
    }

    private func facts(_ pods: [PodObject]) -> [PodFacts] {
        pods.map { PodFacts($0, namespace: api.access.namespace) }
    }

    private func take(_ facts: [PodFacts]) {
        change { $0.pods = Dictionary(facts.map { ($0.name, $0) }) { $1 } }
    }

    private func take(_ event: WatchEvent<PodObject>) {
        switch event {
        case .present(let pod):
            let facts = PodFacts(pod, namespace: api.access.namespace)
            change { $0.pods[facts.name] = facts }
        case .gone(let pod):
            // One made anew under the same name, as a StatefulSet's, may be there already.
            change { state in
                if state.pods[pod.metadata.name]?.uid == pod.metadata.uid { state.pods[pod.metadata.name] = nil }
            }
        case .bookmark:
            state.withLock { $0.heardFrom = .now }
        }
    }

    private func change(_ change: (inout State) -> Void) {
        state.withLock { state in
            let before = state.pods
            let isFirst = state.heardFrom == nil
            change(&state)
            state.heardFrom = .now
            state.changes += 1
            guard isFirst || before != state.pods else { return }
            for listener in state.listeners.values { listener.yield(state.snapshot) }
        }
    }
}
