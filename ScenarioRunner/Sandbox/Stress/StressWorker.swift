import Glibc
import SystemPackage

/// One stress worker: the code behind the hidden command `scenario-runner stress-worker`.
///
/// ```
///   fault --(pipe, held open)--> standard input of the worker
///   end of the pipe (fault undone, runner dead in whatever way) --> the worker returns within 100 ms
/// ```
///
/// The pipe is surer than watching the parent's pid: it cannot be missed by a worker that starts after its parent's
/// death, and it also ends the workers in good order.
public struct StressWorker: Sendable {
    public enum Job: Sendable, Equatable {
        /// Burns `loadPercent` (0 to 100) of one core.
        case cpu(loadPercent: Int)
        /// Holds `bytes` of memory, every page of it in use, and asks the kernel to be killed first (or last); an
        /// adjustment of 0 asks nothing.
        case memory(bytes: UInt64, oomScoreAdjustment: Int)
        /// Writes `bytes` to a file in `folder` again and again; see ``DiskWork``.
        case disk(DiskWork)
    }

    /// One stretch of work and rest. Short, so that the load looks even to whoever shares the processor.
    static let period = Duration.milliseconds(100)
    /// All pages are touched again within this many periods (5 s), so that none counts as idle.
    static let touchPeriods = 50

    let job: Job
    let lifetime: Duration
    let lifeline: CInt

    /// - Parameters:
    ///   - lifetime: it returns after this time whatever happens.
    ///   - lifeline: a descriptor whose end of file ends the work; nothing is ever written to it.
    public init(_ job: Job, lifetime: Duration, lifeline: CInt = STDIN_FILENO) {
        self.job = job
        self.lifetime = lifetime
        self.lifeline = lifeline
    }

    /// Works until the lifeline ends or the time is over. Blocks its thread: it is a process's only purpose.
    ///
    /// - Throws: `Errno` when the memory or the disk is not to be had.
    public func run() throws {
        let deadline = ContinuousClock.now + lifetime
        switch job {
        case .cpu(let loadPercent): burn(loadPercent, until: deadline)
        case .memory(let bytes, let adjustment): try hold(bytes, adjustment, until: deadline)
        case .disk(let work): try work.run { ContinuousClock.now < deadline && rest(until: .now) }
        }
    }

    private func burn(_ loadPercent: Int, until deadline: ContinuousClock.Instant) {
        let work = Self.period * loadPercent / 100
        while ContinuousClock.now < deadline {
            let start = ContinuousClock.now
            while ContinuousClock.now - start < work {}
            guard rest(until: start + Self.period) else { return }
        }
    }

    private func hold(_ bytes: UInt64, _ adjustment: Int, until deadline: ContinuousClock.Instant) throws {
        if adjustment != 0 { try adjustOutOfMemoryScore(adjustment) }
        let size = Int(bytes)
        guard size > 0 else { return }
        guard let memory = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
            memory != MAP_FAILED
        else { throw Errno(rawValue: errno) }
        defer { munmap(memory, size) }
        let page = sysconf(CInt(_SC_PAGESIZE))
        for offset in stride(from: 0, to: size, by: page) { touch(memory, offset) }
        var offset = 0
        let slice = size / Self.touchPeriods + page
        while ContinuousClock.now < deadline {
            guard rest(until: .now + Self.period) else { return }
            let end = min(offset + slice, size)
            while offset < end {
                touch(memory, offset)
                offset += page
            }
            if offset >= size { offset = 0 }
        }
    }

    private func touch(_ memory: UnsafeMutableRawPointer, _ offset: Int) {
        memory.storeBytes(of: 1, toByteOffset: offset, as: UInt8.self)
    }

    private func adjustOutOfMemoryScore(_ adjustment: Int) throws {
        let file = try FileDescriptor.open("/proc/self/oom_score_adj", .writeOnly)
        try file.closeAfter { _ = try file.writeAll(String(adjustment).utf8) }
    }

    /// Sleeps until `wake`, or less if the lifeline ends.
    ///
    /// - Returns: false once the lifeline has ended.
    private func rest(until wake: ContinuousClock.Instant) -> Bool {
        var ended = pollfd(fd: lifeline, events: Int16(POLLIN), revents: 0)
        let left = (wake - ContinuousClock.now).components
        let milliseconds = left.seconds * 1000 + left.attoseconds / 1_000_000_000_000_000
        // A worker that is late, because the kernel gave it no time, still looks at the lifeline.
        return poll(&ended, 1, CInt(max(0, milliseconds))) <= 0
    }
}
