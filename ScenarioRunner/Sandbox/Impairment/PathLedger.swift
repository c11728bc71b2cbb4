import Glibc
import Synchronization
import SystemPackage

/// What a ``PathWorker`` tells its fault: a page of memory that both processes see, in a file without a name.
///
/// It can be read at any time, also after the worker's end, and goes with the last of the two.
final class PathLedger {
    enum State: UInt64 {
        case starting, ready, failed
    }

    private static let size = 4096
    /// 8-byte words: a number that is odd while the rest changes, the state, its `errno`; then the counters.
    private static let countersOffset = 64
    /// A worker that was killed while it wrote leaves an odd number for ever.
    private static let attempts = 1000

    let descriptor: CInt
    private let page: UnsafeMutableRawPointer

    /// A new one.
    ///
    /// - Parameter folder: has the file until this returns: /run is the lab's own and ends with it.
    /// - Throws: `Errno`.
    init(in folder: String = "/run") throws {
        let name = "\(folder)/path-ledger-\(getpid())-\(UInt64.random(in: .min ... .max))"
        let made = open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard made >= 0 else { throw Errno(rawValue: errno) }
        unlink(name)
        descriptor = made
        guard ftruncate(made, off_t(Self.size)) == 0, let mapped = Self.map(made) else {
            let code = errno
            close(made)
            throw Errno(rawValue: code)
        }
        page = mapped
    }

    /// The worker's view of the one that it inherited.
    ///
    /// - Throws: `Errno` when `descriptor` is no ledger.
    init(inherited descriptor: CInt) throws {
        self.descriptor = dup(descriptor)
        guard let mapped = Self.map(self.descriptor) else {
            let code = errno
            close(self.descriptor)
            throw Errno(rawValue: code)
        }
        page = mapped
    }

    deinit {
        munmap(page, Self.size)
        close(descriptor)
    }

    private static func map(_ descriptor: CInt) -> UnsafeMutableRawPointer? {
        let mapped = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0)
        return mapped == MAP_FAILED ? nil : mapped
    }

    private func word(_ index: Int) -> UnsafeMutablePointer<Atomic<UInt64>> {
        (page + index * 8).assumingMemoryBound(to: Atomic<UInt64>.self)
    }

    // MARK: The worker's side

    func setReady() { word(1).pointee.store(State.ready.rawValue, ordering: .releasing) }

    func setFailed(_ error: Errno) {
        word(2).pointee.store(UInt64(error.rawValue), ordering: .relaxed)
        word(1).pointee.store(State.failed.rawValue, ordering: .releasing)
    }

    func publish(_ counters: PathCounters) {
        word(0).pointee.add(1, ordering: .acquiringAndReleasing)
        (page + Self.countersOffset).storeBytes(of: counters, as: PathCounters.self)
        word(0).pointee.add(1, ordering: .releasing)
    }

    // MARK: The fault's side

    var state: State { State(rawValue: word(1).pointee.load(ordering: .acquiring)) ?? .failed }

    /// Why it is ``State/failed``.
    var error: Errno { Errno(rawValue: CInt(word(2).pointee.load(ordering: .relaxed))) }

    var counters: PathCounters {
        var counters = PathCounters()
        for _ in 0..<Self.attempts {
            let before = word(0).pointee.load(ordering: .acquiring)
            counters = (page + Self.countersOffset).load(as: PathCounters.self)
            atomicMemoryFence(ordering: .acquiring)
            if before.isMultiple(of: 2), word(0).pointee.load(ordering: .relaxed) == before { break }
        }
        return counters
    }
}
