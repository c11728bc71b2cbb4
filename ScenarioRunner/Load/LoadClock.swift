import Foundation

/// The clock that a load runs on: absolute nanoseconds, so that processes of one machine can share a time line.
public protocol LoadClock: Sendable {
    func nowNs() -> UInt64
    /// Returns at `untilNs` or a little later; at once when that is past.
    ///
    /// - Throws: `CancellationError` when the task is cancelled.
    func sleep(untilNs: UInt64) async throws
}

/// `CLOCK_MONOTONIC`: never set, the same for every process and every network namespace of the machine.
public struct MonotonicLoadClock: LoadClock {
    public init() {}

    public func nowNs() -> UInt64 {
        var time = timespec()
        // Cannot fail: the clock exists on every Linux and the pointer is good.
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    public func sleep(untilNs: UInt64) async throws {
        let now = nowNs()
        guard untilNs > now else { return try Task.checkCancellation() }
        try await Task.sleep(for: .nanoseconds(untilNs - now), tolerance: .zero)
    }
}

extension Duration {
    /// Whole nanoseconds; 0 for a negative duration.
    var nanoseconds: UInt64 {
        let (seconds, attoseconds) = components
        return seconds < 0 ? 0 : UInt64(seconds) * 1_000_000_000 + UInt64(max(0, attoseconds) / 1_000_000_000)
    }
}
