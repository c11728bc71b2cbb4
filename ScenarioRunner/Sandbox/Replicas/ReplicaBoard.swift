import Synchronization

/// What the supervisor knows of its replicas at this moment, and who wants to hear of it.
final class ReplicaBoard: Sendable {
    private struct Entry {
        var policy: RestartPolicy
        var status: ReplicaStatus
        var process: ReplicaProcess?
        /// Ends when the replica is released.
        var waiting: AsyncStream<Void>.Continuation?
    }

    private struct Contents {
        var entries: [String: Entry]
        var listeners: [Int: AsyncStream<[ReplicaStatus]>.Continuation] = [:]
        var nextListener = 0
    }

    private let names: [String]
    private let contents: Mutex<Contents>

    init(names: [String], seed: UInt64) {
        self.names = names
        let entries = names.map { name in
            let status = ReplicaStatus(name: name, state: .stopped, pid: nil, restarts: 0, lastExit: nil)
            return (name, Entry(policy: RestartPolicy(seed: seed, name: name), status: status))
        }
        contents = Mutex(Contents(entries: Dictionary(uniqueKeysWithValues: entries)))
    }

    func handle(_ event: RestartPolicy.Event, of name: String) -> RestartPolicy.Action {
        update(name) { $0.policy.handle(event) } ?? .nothing
    }

    func started(_ process: ReplicaProcess, of name: String) -> RestartPolicy.Action {
        update(name) { entry in
            entry.process = process
            return entry.policy.handle(.started(at: .now))
        } ?? .nothing
    }

    func exited(_ exit: ReplicaExit, of name: String) -> RestartPolicy.Action {
        update(name) { entry in
            entry.process?.ended(exit)
            entry.process = nil
            entry.status.lastExit = exit
            return entry.policy.handle(.exited(at: .now))
        } ?? .nothing
    }

    /// Returns after `limit`, as soon as the replica is released, or when the task is cancelled.
    func wait(for name: String, atMost limit: Duration?) async {
        let (release, continuation) = AsyncStream.makeStream(of: Void.self)
        contents.withLock { contents in
            if contents.entries[name]?.policy.state == .released { continuation.finish() }
            contents.entries[name]?.waiting = continuation
        }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { for await _ in release {} }
            if let limit { group.addTask { try? await Task.sleep(for: limit) } }
            await group.next()
            group.cancelAll()
        }
    }

    func process(of name: String) -> ReplicaProcess? { contents.withLock { $0.entries[name]?.process } }

    func status(of name: String) -> ReplicaStatus? { contents.withLock { $0.entries[name]?.status } }

    func snapshot() -> [ReplicaStatus] { contents.withLock { snapshot(of: $0) } }

    func changes() -> AsyncStream<[ReplicaStatus]> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: [ReplicaStatus].self, bufferingPolicy: .bufferingNewest(1))
        let listener = contents.withLock { contents in
            contents.nextListener += 1
            contents.listeners[contents.nextListener] = continuation
            continuation.yield(snapshot(of: contents))
            return contents.nextListener
        }
        continuation.onTermination = { [weak self] _ in
            self?.contents.withLock { _ = $0.listeners.removeValue(forKey: listener) }
        }
        return stream
    }

    @discardableResult
    private func update<Result>(_ name: String, _ change: (inout Entry) -> Result) -> Result? {
        contents.withLock { contents in
            guard var entry = contents.entries[name] else { return nil }
            let result = change(&entry)
            entry.status.restarts = entry.policy.restarts
            entry.status.pid = entry.process?.pid
            entry.status.state =
                switch entry.policy.state {
                case .stopped: .stopped
                case .running, .stopping, .ending: .up
                case .starting, .backingOff, .released: .restarting
                case .held: .held
                }
            entry.status.heldSince = entry.policy.state == .held ? entry.status.heldSince ?? .now : nil
            if entry.policy.state == .released { entry.waiting?.finish() }
            contents.entries[name] = entry
            let now = snapshot(of: contents)
            for listener in contents.listeners.values { listener.yield(now) }
            return result
        }
    }

    private func snapshot(of contents: Contents) -> [ReplicaStatus] {
        names.compactMap { contents.entries[$0]?.status }
    }
}
