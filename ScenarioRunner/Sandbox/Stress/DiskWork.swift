import Foundation
import Glibc
import SystemPackage

/// What one disk worker does: writes a block, waits until the disk has it, and so on to the end of its file; then it
/// empties the file and begins anew, so that the file never grows beyond its share. (Writing over what is there would
/// be easier on the disk: a file that grows makes the file system write its journal at every fsync.)
///
/// The file loses its name as soon as it is open. It belongs to the process then, and the kernel takes it back when the
/// process ends, however it ends. Its fsyncs are no faster than those of a file with a name (measured side by side on
/// ext4: 4330 and 4360 a second). Only a worker that is killed between the two calls leaves a name, of an empty file:
/// ``removeLeftovers(in:)``.
public struct DiskWork: Sendable, Equatable {
    /// What stress-ng writes at once (`--hdd-write-size`).
    static let blockBytes = 64 << 10
    /// The names of the files begin so.
    static let prefix = ".chaos-disk-"

    let folder: String
    /// 1 or more.
    let bytes: UInt64
    /// The worker's place in the tally.
    let worker: Int
    /// The descriptor of a ``DiskTally``.
    let tally: CInt

    /// - Parameters:
    ///   - folder: on the disk that is to be busy.
    ///   - bytes: how long the file may become, 1 or more.
    ///   - worker: the worker's place in the tally, from 0.
    ///   - tally: the descriptor of the file in which it counts its fsyncs.
    public init(folder: String, bytes: UInt64, worker: Int, tally: CInt) {
        self.folder = folder
        self.bytes = max(1, bytes)
        self.worker = worker
        self.tally = tally
    }

    /// - Parameter goesOn: is asked after every fsync.
    /// - Throws: `Errno` when the disk is full, broken, or not to be written to.
    func run(while goesOn: () -> Bool) throws {
        let file = try openNameless()
        defer { try? file.close() }
        let size = Int64(clamping: bytes)
        // Not zeros: some disks do not write those.
        let block = [UInt8](repeating: 0xA5, count: Int(min(Int64(Self.blockBytes), size)))
        var count = DiskCount()
        var offset: Int64 = 0
        repeat {
            let length = Int(min(Int64(block.count), size - offset))
            _ = try file.writeAll(toAbsoluteOffset: offset, block[..<length])
            guard fsync(file.rawValue) == 0 else { throw Errno(rawValue: errno) }
            offset += Int64(length)
            if offset == size {
                offset = 0
                try file.resize(to: 0)
            }
            count.fsyncs += 1
            count.bytes += UInt64(length)
            try count.write(to: tally, of: worker)
        } while goesOn()
    }

    private func openNameless() throws -> FileDescriptor {
        let path = FilePath(folder).appending(Self.prefix + UUID().uuidString)
        let file = try FileDescriptor.open(
            path, .readWrite, options: [.create, .exclusiveCreate, .closeOnExec], permissions: .ownerReadWrite)
        // Someone who removes leftovers may have been faster.
        guard unlink(path.string) == 0 || errno == ENOENT else {
            let error = Errno(rawValue: errno)
            try? file.close()
            throw error
        }
        return file
    }

    /// Removes the names that workers killed in their first moment left in `folder`.
    ///
    /// - Throws: the file system's error.
    public static func removeLeftovers(in folder: String) throws {
        let files = FileManager.default
        guard files.fileExists(atPath: folder) else { return }
        for name in try files.contentsOfDirectory(atPath: folder) where name.hasPrefix(prefix) {
            guard unlink(folder + "/" + name) == 0 || errno == ENOENT else { throw Errno(rawValue: errno) }
        }
    }

    /// The bytes that ordinary users may still write to the disk under `folder`.
    static func freeBytes(in folder: String) throws -> UInt64 {
        var info = statvfs()
        guard statvfs(folder, &info) == 0 else { throw Errno(rawValue: errno) }
        return UInt64(info.f_bavail) * UInt64(info.f_frsize)
    }
}
