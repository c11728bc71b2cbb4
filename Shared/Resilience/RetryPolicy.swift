/// How often a failed call is made again, and how long it waits before that.
///
/// Two manners are offered. **Careful** waits a random time between nothing and a bound that doubles: with the whole
/// range to draw from ("full jitter"), callers that failed together do not come back together, which made the fewest
/// calls of all variants measured in M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
/// **Eager** is what is often written instead: a short time limit, and again at once. It is here to be broken.
///
/// A policy never decides alone. A call is made again only where that is safe (an idempotent method, or a key by which
/// the server knows it again), where the budget allows it, and while the total deadline of all attempts is not over.
public struct RetryPolicy: Sendable, Equatable {
    /// All together, the first included; at least 1.
    public let maxAttempts: Int
    /// The longest that one attempt may take, so that there is time for another.
    public let attemptTimeout: Duration
    /// The bound of the first wait; zero: at once.
    public let firstDelay: Duration
    /// What no bound goes beyond.
    public let longestDelay: Duration

    public init(maxAttempts: Int, attemptTimeout: Duration, firstDelay: Duration, longestDelay: Duration) {
        self.maxAttempts = max(1, maxAttempts)
        self.attemptTimeout = attemptTimeout
        self.firstDelay = firstDelay
        self.longestDelay = longestDelay
    }

    /// Three attempts, as gRPC's own examples have it; the waits are short beside the 10 s of a payment's inventory
    /// steps and long beside the few milliseconds that inventory takes.
    public static let careful = RetryPolicy(
        maxAttempts: 3, attemptTimeout: .seconds(1), firstDelay: .milliseconds(50), longestDelay: .seconds(1))

    public static let eager = RetryPolicy(
        maxAttempts: 5, attemptTimeout: .milliseconds(500), firstDelay: .zero, longestDelay: .zero)

    /// The wait before an attempt, drawn from 0 to `min(longestDelay, firstDelay * 2^(attempt - 2))`.
    ///
    /// - Parameters:
    ///   - attempt: the one to come, from 2.
    ///   - hint: what the server asked for (`Retry-After`); a careful caller waits at least that long.
    public func delay(
        beforeAttempt attempt: Int, hint: Duration? = nil, using generator: inout some RandomNumberGenerator
    ) -> Duration {
        guard firstDelay > .zero else { return .zero }
        let bound = min(longestDelay, firstDelay * (1 << min(max(attempt - 2, 0), 20)))
        let drawn = Duration.nanoseconds(Int64.random(in: 0...max(0, bound.nanoseconds), using: &generator))
        return max(drawn, hint ?? .zero)
    }
}

/// One call under a ``RetryPolicy``: whether there is another attempt, and when.
///
/// ```
///   attempt 1 --failed--> retry(after) --> attempt 2 --failed--> retry(after) --> ... --failed--> give up
/// ```
public struct RetryLoop: Sendable {
    public enum Action: Sendable, Equatable {
        case retry(after: Duration)
        case giveUp
    }

    public let policy: RetryPolicy
    /// From 1: the one under way.
    public private(set) var attempt = 1

    public init(_ policy: RetryPolicy) { self.policy = policy }

    /// - Parameters:
    ///   - remaining: what is left of the total deadline. A wait that would not leave anything of it is not begun.
    ///   - hint: see ``RetryPolicy/delay(beforeAttempt:hint:using:)``.
    ///   - budget: is asked last and only when all else speaks for another attempt.
    public mutating func failed(
        remaining: Duration, hint: Duration? = nil, using generator: inout some RandomNumberGenerator,
        budget: () -> Bool
    ) -> Action {
        guard attempt < policy.maxAttempts else { return .giveUp }
        let delay = policy.delay(beforeAttempt: attempt + 1, hint: hint, using: &generator)
        guard delay < remaining, budget() else { return .giveUp }
        attempt += 1
        return .retry(after: delay)
    }
}
