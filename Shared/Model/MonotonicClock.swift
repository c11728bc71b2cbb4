import CCurl

/// `CLOCK_MONOTONIC`: never set, the same for every process and every network namespace of a machine.
public enum MonotonicClock {
    /// Absolute nanoseconds. Read in C: which module owns `timespec` in Swift differs from build to build.
    public static func nowNs() -> UInt64 { ccurl_monotonic_ns() }

    /// What another of the kernel's clocks shows, such as that of a process's processor time; nil when there is none.
    public static func nowNs(of clock: Int32) -> UInt64? {
        var time: UInt64 = 0
        return ccurl_clock_ns(clock, &time) ? time : nil
    }
}
