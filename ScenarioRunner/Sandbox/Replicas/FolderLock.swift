import Foundation
import Glibc

/// A folder that is locked as long as this object, or the process, lives.
final class FolderLock: Sendable {
    let folder: String
    private let descriptor: CInt

    /// Locks a folder that is there.
    ///
    /// - Throws: ``ControlGroupError/inUse(_:)`` when somebody else holds it.
    init(taking folder: String) throws {
        self.folder = folder
        descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw ControlGroupError.kernel("open \(folder)", errno) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else { throw ControlGroupError.inUse(folder) }
    }

    /// Makes the folder, or takes over one that nobody holds.
    convenience init(making folder: String) throws {
        guard mkdir(folder, 0o755) == 0 || errno == EEXIST else {
            throw ControlGroupError.kernel("mkdir \(folder)", errno)
        }
        try self.init(taking: folder)
        // Between the two steps a sweep may have removed it; the lock is then on a folder without a name.
        guard FileManager.default.fileExists(atPath: folder) else {
            throw ControlGroupError.kernel("mkdir \(folder)", ENOENT)
        }
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }
}

/// Folders of a control group file system, in which the files come and go with the folder.
enum FolderTree {
    /// The folders in `folder`, sorted.
    static func children(of folder: String) -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.sorted().map { folder + "/" + $0 }.filter { path in
            var isFolder: ObjCBool = false
            return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
        }
    }

    /// Removes `folder` and the folders in it, from the bottom; the kernel refuses those with a process in them.
    ///
    /// - Returns: whether `folder` is gone.
    static func removeIfEmpty(_ folder: String) -> Bool {
        for child in children(of: folder) { _ = removeIfEmpty(child) }
        return rmdir(folder) == 0 || errno == ENOENT
    }
}
