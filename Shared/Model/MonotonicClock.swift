import CCurl

/// `CLOCK_MONOTONIC`: never set, the same for every process and every network namespace of a machine.
public enum MonotonicClock {
    /// Absolute nanoseconds. Read in C: which module owns `timespec` in Swift differs from build to build.
    public static func nowNs() -> UInt64 { ccurl_monotonic_ns() }
}
