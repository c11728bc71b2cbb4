import Shared

/// The clock that a load runs on, `CLOCK_MONOTONIC`: never set, the same for every process and every network namespace
/// of the machine, so that processes share a time line. Absolute nanoseconds.
public struct MonotonicLoadClock: Sendable {
    public init() {}

    public func nowNs() -> UInt64 { MonotonicClock.nowNs() }
}

extension Duration {
    /// Whole nanoseconds; 0 for a negative duration.
    var wholeNs: UInt64 {
        let (seconds, attoseconds) = components
        return seconds < 0 ? 0 : UInt64(seconds) * 1_000_000_000 + UInt64(max(0, attoseconds) / 1_000_000_000)
    }

    var inSeconds: Double { Double(wholeNs) / 1e9 }
}
