import Metrics
import Synchronization

/// What a ``ServiceGuard`` has to know of a failed call.
public protocol GuardedCallError: Error {
    /// Whether the service failed, rather than gave an answer that its caller does not like: silence and 5xx, not 4xx.
    var isFailureOfService: Bool { get }
    /// What the service asked its callers to wait (`Retry-After`).
    var retryAfter: Duration? { get }
    /// The error of a call that was not made, because the service is being left alone.
    static var leftAlone: Self { get }
}

/// Stands between a caller and one service that it calls, and applies the patterns that are in force.
///
/// ```
///   call --> budget: + ratio --> breaker --admitted--> attempt [--slow--> second attempt beside it] --> answer
///                                   |                     '--failed--> retry loop, budget: - 1 --.
///                                   '--open--> left alone       ^--------------------------------'
/// ```
///
/// Everything happens within the call's one deadline. What must not be repeated is never made twice, whatever is
/// switched on.
public final class ServiceGuard: Sendable {
    private struct State {
        var budget: RetryBudget
        var breaker: CircuitBreaker
        var hedge = HedgeDelay()
        var generator: SeededDraws
    }

    private let currentSettings: @Sendable () -> ResilienceSettings
    private let metrics: GuardMetrics
    private let state: Mutex<State>

    /// - Parameters:
    ///   - service: the name of the one that is called, for the metrics: `inventory`.
    ///   - caller: decides the back-off: replicas that back off alike would come back together.
    ///   - settings: the patterns in force.
    public init(
        service: String, caller: String, metrics: any MetricsFactory,
        settings: @escaping @Sendable () -> ResilienceSettings
    ) {
        currentSettings = settings
        self.metrics = GuardMetrics(service: service, factory: metrics)
        let draws = SeededDraws(purpose: "back-off", key: "\(caller) \(service)")
        state = Mutex(State(budget: .init(at: .now), breaker: .init(at: .now), generator: draws))
    }

    /// The patterns in force now.
    public var settings: ResilienceSettings { currentSettings() }

    /// Makes a call.
    ///
    /// - Parameters:
    ///   - settings: the patterns to use, in force from the call's beginning to its end.
    ///   - isRepeatable: whether it does no harm to make it twice.
    ///   - timeout: for all attempts together.
    ///   - attempt: makes it once, within the time that it is given.
    /// - Throws: what the last attempt threw, or ``GuardedCallError/leftAlone``.
    public func call<Answer: Sendable, Failure: GuardedCallError>(
        _ settings: ResilienceSettings, isRepeatable: Bool, timeout: Duration, failingWith: Failure.Type,
        _ attempt: @escaping @Sendable (_ timeout: Duration) async throws -> Answer
    ) async throws -> Answer {
        let limit = min(timeout, RequestDeadline.current?.remaining ?? timeout)
        let deadline = ContinuousClock.now + limit
        state.withLock { $0.budget.called(at: .now) }
        let mayRetry = isRepeatable && settings.has(.retry)
        var loop = RetryLoop(settings.retryPolicy)
        while true {
            let end = mayRetry ? min(deadline, .now + loop.policy.attemptTimeout) : deadline
            do {
                return try await guarded(settings, isRepeatable: isRepeatable, failingWith: Failure.self) {
                    try await attempt(ContinuousClock.now.duration(to: end))
                }
            } catch let failure as Failure where mayRetry && failure.isFailureOfService {
                guard let pause = next(&loop, after: failure, settings, until: deadline) else { throw failure }
                try await Task.sleep(for: pause)
                metrics.retries.increment()
            }
        }
    }

    /// - Returns: how long to wait before the next attempt; nil when there is none.
    private func next(
        _ loop: inout RetryLoop, after failure: some GuardedCallError, _ settings: ResilienceSettings,
        until deadline: ContinuousClock.Instant
    ) -> Duration? {
        let now = ContinuousClock.now
        let action = state.withLock { state in
            // The budget is changed while the generator is lent out.
            var generator = state.generator
            defer { state.generator = generator }
            return loop.failed(remaining: now.duration(to: deadline), hint: failure.retryAfter, using: &generator) {
                mayRepeat(settings, &state.budget, at: now)
            }
        }
        guard case .retry(let pause) = action else { return nil }
        return pause
    }

    private func mayRepeat(
        _ settings: ResilienceSettings, _ budget: inout RetryBudget, at now: ContinuousClock.Instant
    ) -> Bool {
        guard settings.has(.retryBudget), !budget.take(at: now) else { return true }
        metrics.denied.increment()
        return false
    }

    // MARK: One attempt, or two beside each other

    private func guarded<Answer: Sendable, Failure: GuardedCallError>(
        _ settings: ResilienceSettings, isRepeatable: Bool, failingWith: Failure.Type,
        _ attempt: @escaping @Sendable () async throws -> Answer
    ) async throws -> Answer {
        guard settings.has(.circuitBreaker) else {
            return try await timed(settings, isRepeatable: isRepeatable, attempt)
        }
        let permit = state.withLock { $0.breaker.admit(at: .now) }
        guard let permit else {
            metrics.leftAlone.increment()
            throw Failure.leftAlone
        }
        var outcome = CircuitBreaker.Outcome.abandoned
        defer { ended(permit, outcome) }
        do {
            let answer = try await timed(settings, isRepeatable: isRepeatable, attempt)
            outcome = .succeeded
            return answer
        } catch let failure as Failure {
            outcome = failure.isFailureOfService ? .failed : .succeeded
            throw failure
        }
    }

    private func ended(_ permit: CircuitBreaker.Permit, _ outcome: CircuitBreaker.Outcome) {
        let breaker = state.withLock { state in
            state.breaker.ended(permit, outcome, at: .now)
            return state.breaker.state
        }
        metrics.show(breaker)
    }

    private func timed<Answer: Sendable>(
        _ settings: ResilienceSettings, isRepeatable: Bool, _ attempt: @escaping @Sendable () async throws -> Answer
    ) async throws -> Answer {
        let start = ContinuousClock.now
        let delay = isRepeatable && settings.has(.hedging) ? state.withLock { $0.hedge.current } : nil
        let answer =
            if let delay { try await hedged(settings, after: delay, attempt) } else { try await once(attempt) }
        let latency = ContinuousClock.now - start
        state.withLock { $0.hedge.answered(after: latency) }
        return answer
    }

    private func once<Answer>(_ attempt: () async throws -> Answer) async throws -> Answer {
        metrics.attempts.increment()
        let start = ContinuousClock.now
        do {
            let answer = try await attempt()
            metrics.ended(after: ContinuousClock.now - start, isFailure: false)
            return answer
        } catch let failure as any GuardedCallError {
            metrics.ended(after: ContinuousClock.now - start, isFailure: failure.isFailureOfService)
            throw failure
        }
    }

    /// A failure ends it only when no other attempt is under way: the other may still succeed.
    private func hedged<Answer: Sendable>(
        _ settings: ResilienceSettings, after delay: Duration, _ attempt: @escaping @Sendable () async throws -> Answer
    ) async throws -> Answer {
        try await withThrowingTaskGroup(of: Racer<Answer>.self) { group in
            group.addTask { .ended(await Result { try await self.once(attempt) }, isSecond: false) }
            group.addTask {
                try? await Task.sleep(for: delay)
                return .isSlow
            }
            defer { group.cancelAll() }
            var running = 1
            while let racer = try await group.next() {
                switch racer {
                case .isSlow:
                    guard running > 0, state.withLock({ mayRepeat(settings, &$0.budget, at: .now) }) else { continue }
                    running += 1
                    metrics.hedges.increment()
                    group.addTask { .ended(await Result { try await self.once(attempt) }, isSecond: true) }
                case .ended(.success(let answer), let isSecond):
                    if isSecond { metrics.hedgesWon.increment() }
                    return answer
                case .ended(.failure(let error), _):
                    running -= 1
                    if running == 0 { throw error }
                }
            }
            throw CancellationError()
        }
    }

    private enum Racer<Answer: Sendable>: Sendable {
        case isSlow
        case ended(Result<Answer, any Error>, isSecond: Bool)
    }
}

extension ResilienceSettings {
    /// The manner in which this profile makes calls again.
    public var retryPolicy: RetryPolicy { profile == .retryStorm ? .eager : .careful }

    /// Whether a call may be made more than once.
    public var repeatsCalls: Bool { has(.retry) || has(.hedging) }
}

/// Numbers from a seed: SplitMix64.
struct SeededDraws: RandomNumberGenerator, Sendable {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    init(purpose: String, key: String) {
        self.init(seed: UInt64(Draw.fraction(seed: 0, scenario: purpose, key: key) * Double(1 << 53)))
    }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = (state ^ (state >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}

extension Result where Failure == any Error {
    fileprivate init(_ body: () async throws -> Success) async {
        do { self = .success(try await body()) } catch { self = .failure(error) }
    }
}
