/// How many extra attempts may be made, as a share of the calls themselves: a token bucket.
///
/// ```
///   call ---> + ratio    (and + floor a second, so that a quiet caller may retry at all)
///   retry, hedge ---> - 1, refused while there is less than 1
/// ```
///
/// Retries multiply load exactly when there is too much of it: with n attempts a call, a service that fails everyone
/// gets n times the load, and n^k through k layers. A limit on attempts does not help there, for every call has its
/// own; a budget does, because it is one for all calls: the load on a failing service is at most `1 + ratio` times
/// what its users ask for, whatever fails (Google SRE book, chapter 22, "Addressing Cascading Failures").
///
/// The numbers are those of Finagle's and Linkerd's `RetryBudget`, a share of 20 %. Their floor of 10 a second is for
/// thousands of calls a second; a replica here has tens, so its floor is 1. gRPC's A6 puts the most that can be saved
/// at 10 tokens: a long calm must not pay for a long storm.
public struct RetryBudget: Sendable, Equatable {
    public let ratio: Double
    /// Tokens a second whatever the load.
    public let floor: Double
    public let capacity: Double
    public private(set) var tokens: Double
    private var filledAt: ContinuousClock.Instant

    public init(ratio: Double = 0.2, floor: Double = 1, capacity: Double = 10, at now: ContinuousClock.Instant) {
        self.ratio = ratio
        self.floor = floor
        self.capacity = capacity
        tokens = capacity
        filledAt = now
    }

    /// A call is made for the first time.
    public mutating func called(at now: ContinuousClock.Instant) {
        fill(at: now)
        tokens = min(capacity, tokens + ratio)
    }

    /// Takes a token for an extra attempt.
    ///
    /// - Returns: false when there is none; then there is no attempt.
    public mutating func take(at now: ContinuousClock.Instant) -> Bool {
        fill(at: now)
        guard tokens >= 1 else { return false }
        tokens -= 1
        return true
    }

    private mutating func fill(at now: ContinuousClock.Instant) {
        let elapsed = filledAt.duration(to: now)
        guard elapsed > .zero else { return }
        tokens = min(capacity, tokens + elapsed.seconds * floor)
        filledAt = now
    }
}
