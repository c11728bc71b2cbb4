import Synchronization

/// What the supervisor knows of its replicas at this moment.
final class ReplicaBoard: Sendable {
    private struct Entry {
        var policy: RestartPolicy
        var status: ReplicaStatus
        var process: ReplicaProcess?
        /// Ends when the replica is released.
        var waiting: AsyncStream<Void>.Continuation?
    }

    private let names: [String]
    private let entries: Mutex<[String: Entry]>

    init(names: [String], seed: UInt64) {
        self.names = names
        let entries = names.map { name in
            let status = ReplicaStatus(name: name, state: .stopped, pid: nil, restarts: 0, lastExit: nil)
            return (name, Entry(policy: RestartPolicy(seed: seed, name: name), status: status))
        }
        self.entries = Mutex(Dictionary(uniqueKeysWithValues: entries))
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
        entries.withLock { entries in
            if entries[name]?.policy.state == .released { continuation.finish() }
            entries[name]?.waiting = continuation
        }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { for await _ in release {} }
            if let limit { group.addTask { try? await Task.sleep(for: limit) } }
            await group.next()
            group.cancelAll()
        }
    }

    func process(of name: String) -> ReplicaProcess? { entries.withLock { $0[name]?.process } }

    func status(of name: String) -> ReplicaStatus? { entries.withLock { $0[name]?.status } }

    func snapshot() -> [ReplicaStatus] { entries.withLock { entries in names.compactMap { entries[$0]?.status } } }

    @discardableResult
    private func update<Result>(_ name: String, _ change: (inout Entry) -> Result) -> Result? {
        entries.withLock { entries in
            guard var entry = entries[name] else { return nil }
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
            entries[name] = entry
            return result
        }
    }
}
