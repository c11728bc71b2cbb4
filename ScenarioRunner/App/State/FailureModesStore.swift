import Shared
import Synchronization

/// The payment failures and the resilience patterns that are switched on, and everyone who waits for the next change.
///
/// ```
///   POST /api/payment-scenarios/..., PUT /api/resilience --(change)--> version + 1 --> waiting polls of all replicas
/// ```
final class FailureModesStore: Sendable {
    /// The most polls that wait at a time; a poll beyond them is answered at once.
    static let maxWaiting = 256
    /// The most followers that are told apart.
    static let maxFollowers = 64
    /// Whoever has not polled for so long has gone: a poll waits 5 s.
    static let followerTime = Duration.seconds(8)

    private struct State {
        var settings: ServiceSettings
        var waiting: [Int: CheckedContinuation<Void, Never>] = [:]
        var nextWaiter = 0
        /// By name: whoever polls with a version has it in force.
        var followers: [String: Follower] = [:]
    }

    private struct Follower {
        var version: Int
        var heardAt: ContinuousClock.Instant
    }
    private let state: Mutex<State>
    private let onChange: @Sendable (FailureModes) -> Void

    /// - Parameters:
    ///   - seed: decides every draw of the payment service.
    ///   - onChange: hears of the modes whenever they have become other ones, in the order of the changes.
    init(seed: UInt64, onChange: @escaping @Sendable (FailureModes) -> Void = { _ in }) {
        self.onChange = onChange
        state = Mutex(State(settings: ServiceSettings(version: 1, seed: seed, failureModes: .off)))
    }

    var settings: ServiceSettings { state.withLock { $0.settings } }

    /// Whether the last change is in force at a payment replica, which alone makes failures of failure modes.
    var isFollowed: Bool {
        state.withLock { state in
            state.followers.contains { name, follower in
                name.hasPrefix("payment") && follower.version == state.settings.version
            }
        }
    }

    /// Whether the last change is in force at every replica that is still heard.
    func isFollowedByAll(at now: ContinuousClock.Instant = .now) -> Bool {
        state.withLock { state in
            let present = state.followers.values.filter { $0.heardAt.duration(to: now) < Self.followerTime }
            return !present.isEmpty && present.allSatisfy { $0.version == state.settings.version }
        }
    }

    /// The polls that wait now.
    var waitingCount: Int { state.withLock { $0.waiting.count } }

    /// Changes the modes and wakes everyone who waits.
    @discardableResult
    func change(_ change: (inout FailureModes) -> Void) -> FailureModes {
        update { modes, _ in change(&modes) }.failureModes
    }

    /// Changes the resilience patterns and wakes everyone who waits.
    @discardableResult
    func changeResilience(_ change: (inout ResilienceSettings) -> Void) -> ResilienceSettings {
        update { _, resilience in change(&resilience) }.resilience
    }

    private func update(_ change: (inout FailureModes, inout ResilienceSettings) -> Void) -> ServiceSettings {
        let (settings, waiting) = state.withLock { state in
            let before = state.settings.failureModes
            var modes = before
            var resilience = state.settings.resilience
            change(&modes, &resilience)
            state.settings = ServiceSettings(
                version: state.settings.version + 1, seed: state.settings.seed, failureModes: modes,
                resilience: resilience)
            // In the lock, so that it hears of them in their order.
            if modes != before { onChange(modes) }
            defer { state.waiting = [:] }
            return (state.settings, state.waiting.values)
        }
        for continuation in waiting { continuation.resume() }
        return settings
    }

    /// The settings: at once when their version is not `version`, else after the next change or after `wait`.
    ///
    /// - Parameter follower: the name of the replica that asks.
    func settings(after version: Int?, wait: Duration, follower: String = "payment") async -> ServiceSettings {
        if let version {
            state.withLock { state in
                // Of those that came and went, nobody asks any more.
                if state.followers.count >= Self.maxFollowers, state.followers[follower] == nil {
                    state.followers = [:]
                }
                // A service that was here before this runner may name a version that is still to come.
                let known = version <= state.settings.version ? version : 0
                state.followers[follower] = Follower(version: known, heardAt: .now)
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
