/// Leaves a service alone that keeps failing, and looks after a while whether it is back.
///
/// ```
///   closed --- half of at least 10 calls in 10 s failed ---> open --- 2 s ---> half-open: at most 3 probes
///     ^                                                       ^                   |            |
///     |                                                       '-- a probe failed -'            |
///     '------------------------------ 3 probes succeeded --------------------------------------'
/// ```
///
/// A caller of an open breaker is told at once instead of after a timeout, and the service is spared the calls that it
/// would fail. What counts as failure is for the caller to say: silence and 5xx do, an answer like 402, 404 or 409
/// does not, for it is what the service is there to give.
///
/// The shares are those of resilience4j and Hystrix (50 %), the window is Hystrix's 10 s, the least number of calls is
/// smaller than theirs (100, 20) because a replica here sees tens of calls a second, and the break is shorter (theirs
/// are 60 s, 5 s) because the replicas of the lab are back within seconds.
public struct CircuitBreaker: Sendable {
    public enum State: String, Sendable, CaseIterable {
        case closed
        case halfOpen = "half-open"
        case open
    }

    public struct Limits: Sendable, Equatable {
        /// In seconds; whole ones, each a part of the window that goes as a whole.
        public var windowS = 10
        public var minCalls = 10
        /// From here on, of the calls in the window: 0 to 1.
        public var failureRate = 0.5
        public var openTime = Duration.seconds(2)
        /// That may be under way in the half-open state, and that must succeed to close.
        public var probes = 3

        public init() {}
    }

    /// The right to make one call, to be given back with its outcome. An outcome that comes when the breaker has
    /// changed its state meanwhile says nothing about the new one.
    public struct Permit: Sendable, Equatable {
        fileprivate let generation: Int
    }

    public enum Outcome: Sendable, Equatable {
        case succeeded, failed
        /// Nobody knows: the call was given up for a reason of the caller's own.
        case abandoned
    }

    private struct Slice: Sendable {
        var second: Int64
        var calls = 0
        var failures = 0
    }

    public let limits: Limits
    public private(set) var state = State.closed
    private var generation = 0
    private let start: ContinuousClock.Instant
    private var slices: [Slice] = []
    private var openedAt: ContinuousClock.Instant
    private var probesOut = 0
    private var probesWell = 0

    public init(_ limits: Limits = Limits(), at now: ContinuousClock.Instant) {
        self.limits = limits
        start = now
        openedAt = now
    }

    /// Asks for a call.
    ///
    /// - Returns: nil when the service is to be left alone.
    public mutating func admit(at now: ContinuousClock.Instant) -> Permit? {
        if state == .open, openedAt.duration(to: now) >= limits.openTime { change(to: .halfOpen) }
        switch state {
        case .closed:
            return Permit(generation: generation)
        case .open:
            return nil
        case .halfOpen:
            guard probesOut + probesWell < limits.probes else { return nil }
            probesOut += 1
            return Permit(generation: generation)
        }
    }

    public mutating func ended(_ permit: Permit, _ outcome: Outcome, at now: ContinuousClock.Instant) {
        guard permit.generation == generation else { return }
        switch state {
        case .open: break
        case .closed: count(outcome, at: now)
        case .halfOpen:
            probesOut -= 1
            if outcome == .failed { return open(at: now) }
            if outcome == .succeeded { probesWell += 1 }
            if probesWell >= limits.probes { change(to: .closed) }
        }
    }

    private mutating func count(_ outcome: Outcome, at now: ContinuousClock.Instant) {
        guard outcome != .abandoned else { return }
        let second = start.duration(to: now).components.seconds
        let gone = second - Int64(limits.windowS)
        slices.removeAll { $0.second <= gone }
        var slice = slices.popLast() ?? Slice(second: second)
        if slice.second != second {
            slices.append(slice)
            slice = Slice(second: second)
        }
        slice.calls += 1
        if outcome == .failed { slice.failures += 1 }
        slices.append(slice)
        let calls = slices.reduce(0) { $0 + $1.calls }
        let failures = slices.reduce(0) { $0 + $1.failures }
        if calls >= limits.minCalls, Double(failures) >= limits.failureRate * Double(calls) { open(at: now) }
    }

    private mutating func open(at now: ContinuousClock.Instant) {
        change(to: .open)
        openedAt = now
    }

    private mutating func change(to state: State) {
        self.state = state
        generation += 1
        slices = []
        probesOut = 0
        probesWell = 0
    }
}
