import Shared
import Synchronization

/// Follows one object until something has come of it.
///
/// ```
///   get --> watch --event--> step --nil--> on
///    ^        '--- broken, 410, ended: look anew
/// ```
struct ObjectFollower: Sendable {
    let api: KubernetesAPI
    let kind: ChaosKind
    let name: String

    enum Outcome<Value: Sendable>: Sendable {
        case came(Value)
        /// With the last error, where the API server was the reason.
        case overdue(ClusterError?)
    }

    /// - Parameters:
    ///   - first: as it is known to be; nil to look first.
    ///   - limit: of the whole wait.
    ///   - step: is told how the object is now, nil when it is not there; returns what has come of it.
    /// - Throws: ``ClusterError`` that no waiting helps against; `CancellationError`.
    func follow<Value: Sendable>(
        from first: ChaosObject?, within limit: Duration, _ step: @escaping @Sendable (ChaosObject?) -> Value?
    ) async throws -> Outcome<Value> {
        let trouble = Trouble()
        let value = try await withThrowingTaskGroup(of: Value?.self) { group in
            group.addTask { try await followOn(from: first, trouble, step) }
            group.addTask {
                try await Task.sleep(for: limit)
                return nil
            }
            defer { group.cancelAll() }
            return try await group.next() ?? nil
        }
        return value.map { .came($0) } ?? .overdue(trouble.last)
    }

    /// What keeps the follower from seeing the object now.
    private final class Trouble: Sendable {
        private let error = Mutex<ClusterError?>(nil)
        var last: ClusterError? { error.withLock { $0 } }
        func note(_ new: ClusterError?) { error.withLock { $0 = new } }
    }

    private func followOn<Value: Sendable>(
        from first: ChaosObject?, _ trouble: Trouble, _ step: @Sendable (ChaosObject?) -> Value?
    ) async throws -> Value {
        var retry = Retry(api.timing, longest: .seconds(2))
        if let first, let value = step(first) { return value }
        var version = first?.metadata.resourceVersion
        while true {
            var isWatching = false
            do {
                var from: String
                if let version {
                    from = version
                } else {
                    let object = try await look()
                    trouble.note(nil)
                    if let value = step(object) { return value }
                    from = object?.metadata.resourceVersion ?? ""
                }
                version = nil
                isWatching = true
                if let value = try await watch(from: &from, trouble, step, { retry.succeeded() }) { return value }
                version = from
            } catch let error as ClusterError {
                // Whoever may not watch looks again and again.
                let isBlind = isWatching && error.kind == .forbidden
                guard isBlind || Self.mayPass(error) else { throw error }
                version = nil
                trouble.note(isBlind || error.kind == .gone ? nil : error)
            }
            try await Task.sleep(for: retry.next())
        }
    }

    /// Nil when it is not there.
    private func look() async throws -> ChaosObject? {
        do {
            return try await api.get(kind.resource, name)
        } catch let error as ClusterError where error.kind == .notFound {
            return nil
        }
    }

    private func watch<Value: Sendable>(
        from version: inout String, _ trouble: Trouble, _ step: @Sendable (ChaosObject?) -> Value?,
        _ heard: () -> Void
    ) async throws -> Value? {
        var value: Value?
        try await api.watch(
            kind.resource, from: &version, name: name, silence: Self.silence, as: ChaosObject.self
        ) { event in
            heard()
            trouble.note(nil)
            switch event {
            case .present(let object): value = step(object)
            case .gone: value = step(nil)
            case .bookmark: break
            }
            return value == nil
        }
        return value
    }

    /// Less than anybody waits for an object, so that a server that says nothing is told from a controller that does
    /// nothing: then the object is looked at.
    private static let silence = Duration.seconds(12)

    private static func mayPass(_ error: ClusterError) -> Bool {
        error.mayPass || error.kind == .gone || error.kind == .conflict
    }
}
