import Foundation
import SystemPackage

/// A replica's log: a file that the process writes itself, kept below a size.
///
/// ```
///   process --O_APPEND--> payment-0.log --(too long: copy, then cut to 0)--> payment-0.log.1
/// ```
///
/// The process holds the file open, so the file is copied and cut rather than renamed; with `O_APPEND` its next
/// line then lands at the start. A pipe through the runner would allow an exact limit, but a runner that is busy or
/// gone must not stall or kill a replica.
struct ReplicaLog: Sendable {
    /// At most this long, and as much again in the file `.1`; checked about once a second.
    static let maximumBytes: UInt64 = 10 << 20

    let path: String
    var maximumBytes = ReplicaLog.maximumBytes

    /// Opens the file for a new process. The caller closes it.
    func open() throws -> FileDescriptor {
        try FileDescriptor.open(
            FilePath(path), .writeOnly, options: [.append, .create, .closeOnExec], permissions: [.ownerReadWrite])
    }

    /// Moves what is there to `.1` when it has grown past the limit. Lines written between the copy and the cut
    /// (microseconds) are lost; that is the price of not renaming.
    func rotateIfLong() throws {
        let files = FileManager.default
        guard let size = try files.attributesOfItem(atPath: path)[.size] as? UInt64, size > maximumBytes else { return }
        let previous = path + ".1"
        if files.fileExists(atPath: previous) { try files.removeItem(atPath: previous) }
        try files.copyItem(atPath: path, toPath: previous)
        try FileDescriptor.open(FilePath(path), .writeOnly, options: [.truncate, .closeOnExec]).close()
    }
}
