import Glibc
import SystemPackage

/// What one disk worker has done so far.
struct DiskCount: Sendable, Equatable {
    static let size = MemoryLayout<UInt64>.size * 2

    var fsyncs: UInt64 = 0
    var bytes: UInt64 = 0

    static func - (later: DiskCount, earlier: DiskCount) -> DiskCount {
        DiskCount(fsyncs: later.fsyncs - earlier.fsyncs, bytes: later.bytes - earlier.bytes)
    }

    /// Puts it down as the count of `worker`.
    func write(to tally: CInt, of worker: Int) throws {
        try withUnsafeBytes(of: (fsyncs, bytes)) { record in
            guard pwrite(tally, record.baseAddress, Self.size, off_t(worker * Self.size)) == Self.size else {
                throw Errno(rawValue: errno)
            }
        }
    }
}

/// The counts of disk workers: a file in memory, without a name, that each worker gets as its standard output.
///
/// ```
///   worker 0 --pwrite--> | fsyncs bytes | fsyncs bytes | ... <--pread-- fault
/// ```
///
/// A count outlives its worker, and a worker never waits for a reader, as it would at a full pipe.
final class DiskTally: Sendable {
    let descriptor: CInt

    /// `O_TMPFILE` (open(2)), which Swift does not see: the file never has a name.
    private static let nameless = 0o20_000_000 | O_DIRECTORY

    /// - Throws: `Errno` when this machine has no `/dev/shm` to write to.
    init() throws {
        descriptor = open("/dev/shm", O_RDWR | O_CLOEXEC | Self.nameless, 0o600)
        guard descriptor >= 0 else { throw Errno(rawValue: errno) }
    }

    deinit { close(descriptor) }

    /// What `worker` has put down; nothing before its first fsync.
    func count(of worker: Int) -> DiskCount {
        var record: (UInt64, UInt64) = (0, 0)
        let length = withUnsafeMutableBytes(of: &record) {
            pread(descriptor, $0.baseAddress, DiskCount.size, off_t(worker * DiskCount.size))
        }
        return length == DiskCount.size ? DiskCount(fsyncs: record.0, bytes: record.1) : DiskCount()
    }
}
