import Foundation
import Glibc
import Shared

/// What the kernel says of one process in `/proc/<pid>/stat` (proc(5)).
struct ProcessStat: Sendable, Equatable {
    /// `R` running, `S` sleeping, `T` stopped, `Z` ended and not yet waited for.
    let state: Character
    let parent: Int32
    /// Processor time in user and kernel mode.
    let processorTime: Duration
    let residentBytes: UInt64

    /// - Parameters:
    ///   - text: one line; the second field is the program's name in brackets and may hold spaces and brackets.
    ///   - ticksPerSecond: the unit of processor times, `sysconf(_SC_CLK_TCK)`: 100 on Linux.
    init?(parsing text: String, ticksPerSecond: Int64, pageBytes: UInt64) {
        guard let name = text.lastIndex(of: ")") else { return nil }
        // Fields from the third (state) on: utime is the 14th, stime the 15th, rss the 24th.
        let fields = text[text.index(after: name)...].split { $0.isWhitespace }
        guard fields.count > 21, let state = fields[0].first, let parent = Int32(fields[1]),
            let user = Int64(fields[11]), let system = Int64(fields[12]), let pages = UInt64(fields[21])
        else { return nil }
        self.state = state
        self.parent = parent
        processorTime = .nanoseconds((user + system) * (1_000_000_000 / ticksPerSecond))
        residentBytes = pages * pageBytes
    }

    /// Reads the process `pid` of this PID namespace; nil when there is none.
    static func read(_ pid: Int32) -> ProcessStat? {
        guard let text = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8) else { return nil }
        return ProcessStat(
            parsing: text, ticksPerSecond: Int64(sysconf(CInt(_SC_CLK_TCK))),
            pageBytes: UInt64(sysconf(CInt(_SC_PAGESIZE))))
    }

    /// The processor time that `pid` has used, exact to the nanosecond; nil when there is no such process.
    static func processorTime(of pid: Int32) -> Duration? {
        var clock = clockid_t()
        return clock_getcpuclockid(pid, &clock) == 0 ? time(on: clock) : nil
    }

    /// What one of the kernel's clocks shows; nil when there is no such clock.
    static func time(on clock: clockid_t) -> Duration? {
        MonotonicClock.nowNs(of: clock).map { .nanoseconds(Int64(clamping: $0)) }
    }

    /// The bytes of `pid` that are in memory, exact; nil when there is no such process.
    ///
    /// `VmRSS` in `/proc/<pid>/status`. (`stat` and `statm` may lag by 64 pages a processor since Linux 6.2.)
    static func residentBytes(of pid: Int32) -> UInt64? {
        guard let text = try? String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8) else { return nil }
        return residentBytes(inStatus: text)
    }

    /// The bytes that `pid` has written itself, without the pages of its program and libraries: `RssAnon` (Linux 4.5).
    static func anonymousBytes(of pid: Int32) -> UInt64? {
        guard let text = try? String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8) else { return nil }
        return bytes(of: "RssAnon:", inStatus: text)
    }

    /// How many processes the kernel has killed for memory since it started, whether the machine's or a group's
    /// (`oom_kill` in `/proc/vmstat`, Linux 4.13).
    static func outOfMemoryKills() -> Int {
        let text = (try? String(contentsOfFile: "/proc/vmstat", encoding: .utf8)) ?? ""
        return Int(ControlGroup.counter("oom_kill", in: text))
    }

    /// The bytes that new work could use without swapping: `MemAvailable` in `/proc/meminfo`.
    static func availableBytes() -> UInt64 { machineBytes("MemAvailable:") }

    /// The memory of the machine: `MemTotal`.
    static func totalBytes() -> UInt64 { machineBytes("MemTotal:") }

    private static func machineBytes(_ name: String) -> UInt64 {
        bytes(of: name, inStatus: (try? String(contentsOfFile: "/proc/meminfo", encoding: .utf8)) ?? "")
    }

    /// The line `VmRSS:   1234 kB`; 0 for a process that has ended, which has no such line.
    static func residentBytes(inStatus text: String) -> UInt64 { bytes(of: "VmRSS:", inStatus: text) }

    private static func bytes(of name: String, inStatus text: String) -> UInt64 {
        let line = text.split(separator: "\n").first { $0.hasPrefix(name) }
        let fields = line?.split { $0.isWhitespace } ?? []
        return fields.count == 3 ? (UInt64(fields[1]) ?? 0) * 1024 : 0
    }
}
