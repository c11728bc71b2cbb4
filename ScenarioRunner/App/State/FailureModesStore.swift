import Shared
import Synchronization

/// The payment failures that are switched on, and everyone who waits for the next change.
///
/// ```
///   POST /api/payment-scenarios/... --(change)--> version + 1 --> waiting polls of all replicas, event stream
/// ```
final class FailureModesStore: Sendable {
    /// The most polls that wait at a time; a poll beyond them is answered at once.
    static let maxWaiting = 256

    private struct State {
        var settings: ServiceSettings
        var waiting: [Int: CheckedContinuation<Void, Never>] = [:]
        var nextWaiter = 0
        /// The newest version that a poll has named: whoever polls with it has it in force.
        var followedVersion = 0
    }
    private let state: Mutex<State>

    /// - Parameter seed: decides every draw of the payment service.
    init(seed: UInt64) {
        state = Mutex(State(settings: ServiceSettings(version: 1, seed: seed, failureModes: .off)))
    }

    var settings: ServiceSettings { state.withLock { $0.settings } }

    /// Whether the last change is in force at a service.
    var isFollowed: Bool { state.withLock { $0.followedVersion == $0.settings.version } }

    /// The polls that wait now.
    var waitingCount: Int { state.withLock { $0.waiting.count } }

    /// Changes the modes and wakes everyone who waits.
    @discardableResult
    func change(_ change: (inout FailureModes) -> Void) -> FailureModes {
        let (modes, waiting) = state.withLock { state in
            var modes = state.settings.failureModes
            change(&modes)
            state.settings = ServiceSettings(
                version: state.settings.version + 1, seed: state.settings.seed, failureModes: modes)
            defer { state.waiting = [:] }
            return (modes, state.waiting.values)
        }
        for continuation in waiting { continuation.resume() }
        return modes
    }

    /// The settings: at once when their version is not `version`, else after the next change or after `wait`.
    func settings(after version: Int?, wait: Duration) async -> ServiceSettings {
        if let version {
            state.withLock { state in
                // A service that was here before this runner may name a version that is still to come.
                if version <= state.settings.version { state.followedVersion = max(state.followedVersion, version) }
            }
        }
        guard let version, version == settings.version, wait > .zero else { return settings }
        let waiter = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.park(waiter, version: version) }
            group.addTask { try? await Task.sleep(for: wait) }
            await group.next()
            group.cancelAll()
        }
        return settings
    }

    private func park(_ waiter: Int, version: Int) async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let parked = state.withLock { state in
                    // A change or a cancellation since the caller looked would otherwise be missed.
                    guard !Task.isCancelled, state.settings.version == version,
                        state.waiting.count < Self.maxWaiting
                    else { return false }
                    state.waiting[waiter] = continuation
                    return true
                }
                if !parked { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiting.removeValue(forKey: waiter) }?.resume()
        }
    }
}
