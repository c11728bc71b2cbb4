import Foundation
import Glibc
import SystemPackage

/// The control groups of one lab: a folder named after it, and in it one group for each replica.
///
/// ```
///   open --> payment-chaos-<lab>/ (locked while the lab lives) --> group(for: payment-0) --> remove
///                      ^
///   sweep --- removes the empty folders of labs that are dead: whose lock nobody holds
/// ```
///
/// The kernel drops the lock with the lab's last breath, `kill -9` included, so a folder that a living lab has just
/// made, and that is still empty, is never swept away.
public final class ControlGroups: Sendable {
    static let prefix = "payment-chaos-"

    private let version: ControlGroupVersion
    private let folders: ControlGroupFolders
    private let locks: [FolderLock]

    /// Makes the lab's folder where this process may, and makes sure that a process can enter a group in it.
    ///
    /// - Parameter labName: letters, digits and `-`; unique among the labs of this machine.
    /// - Throws: ``ControlGroupError`` with the reason and the remedy when there is no such place.
    public static func open(labName: String) async throws -> ControlGroups {
        try await open(labName: labName, places: ControlGroupPlaces.ofThisProcess())
    }

    static func open(labName: String, places: ControlGroupPlaces) async throws -> ControlGroups {
        var reasons: [String] = []
        for place in places.candidates {
            do {
                let groups = try ControlGroups(labName: labName, place: place)
                try await groups.probe()
                return groups
            } catch {
                reasons.append("\(error)")
            }
        }
        throw ControlGroupError.unavailable(
            reasons.first ?? "no hierarchy with the controllers cpu and memory is mounted below /sys/fs/cgroup")
    }

    private init(labName: String, place: ControlGroupPlaces.Place) throws {
        version = place.version
        folders = place.parents.appending(Self.prefix + labName)
        var made: [FolderLock] = []
        do {
            if version == .v2 { try Self.delegate(in: place.parents.cpu) }
            for folder in folders.distinct { made.append(try FolderLock(making: folder)) }
            if version == .v2 { try Self.delegate(in: folders.cpu) }
        } catch {
            for lock in made { _ = rmdir(lock.folder) }
            throw error
        }
        locks = made
    }

    /// The group of one replica, with its limits in force. A group that is there already gets the new limits.
    public func group(for replica: String, limits: ResourceLimits?) throws -> ControlGroup {
        let group = ControlGroup(
            name: replica, limits: limits, version: version, folders: folders.appending(replica))
        for folder in group.folders.distinct { try Self.makeFolder(folder) }
        for setting in limits?.settings(version) ?? [] {
            let path = group.folders.folder(of: setting.controller) + "/" + setting.file
            do {
                try Self.write(setting.value, to: path)
            } catch ControlGroupError.kernel(_, ENOENT) where setting.optional {
                continue
            }
        }
        return group
    }

    /// Removes all folders. To be called when every process in them has been told to end: waits up to 2 s for the
    /// last ones.
    ///
    /// - Throws: ``ControlGroupError`` when a process is still there; a later ``sweep()`` tries again.
    public func remove() async throws {
        let deadline = ContinuousClock.now + .seconds(2)
        while true {
            let left = folders.distinct.filter { !FolderTree.removeIfEmpty($0) }
            guard let first = left.first else { return }
            guard ContinuousClock.now < deadline else { throw ControlGroupError.kernel("rmdir \(first)", EBUSY) }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    /// Removes the folders of labs that are dead. The kernel keeps a group for a moment after the last process of a lab
    /// that was killed has ended, so this waits up to 2 s for it.
    ///
    /// - Returns: the labs' folders that are gone now.
    @discardableResult
    public static func sweep() async -> [String] {
        let deadline = ContinuousClock.now + .seconds(2)
        var removed: [String] = []
        while true {
            let (gone, busy) = sweepOnce()
            removed += gone
            guard !busy.isEmpty, ContinuousClock.now < deadline,
                (try? await Task.sleep(for: .milliseconds(20))) != nil
            else { return removed.sorted() }
        }
    }

    /// - Returns: the dead labs' folders that are gone now, and those that the kernel still keeps.
    private static func sweepOnce() -> (gone: [String], busy: [String]) {
        let parents = ControlGroupPlaces.ofThisProcess().candidates.flatMap(\.parents.distinct)
        var (gone, busy): ([String], [String]) = ([], [])
        for folder in Set(parents).sorted().flatMap(FolderTree.children) {
            guard FilePath(folder).lastComponent?.string.hasPrefix(prefix) == true else { continue }
            // The lock is taken for the time of the removal; a lab that lives holds it.
            guard let lock = try? FolderLock(taking: folder) else { continue }
            withExtendedLifetime(lock) {
                if FolderTree.removeIfEmpty(folder) { gone.append(folder) } else { busy.append(folder) }
            }
        }
        return (gone, busy)
    }

    /// Lets a process enter a group: only then is it sure that the lab's processes can.
    private func probe() async throws {
        let group = try group(for: "probe", limits: nil)
        var child = try ChildProcess(group.enter(["/bin/true"]), input: nil, logFile: nil)
        let deadline = ContinuousClock.now + .seconds(5)
        while child.exit == nil, ContinuousClock.now < deadline {
            try await Task.sleep(for: .milliseconds(2))
            child.poll()
        }
        for folder in group.folders.distinct { _ = rmdir(folder) }
        guard child.exit == .code(0) else {
            for folder in folders.distinct { _ = FolderTree.removeIfEmpty(folder) }
            throw ControlGroupError.kernel("move a process to \(group.procsFiles[0])", EACCES)
        }
    }

    /// Hands the controllers cpu and memory on to the folders below `folder` (version 2 only).
    private static func delegate(in folder: String) throws {
        let file = folder + "/cgroup.subtree_control"
        let enabled = ((try? String(contentsOfFile: file, encoding: .utf8)) ?? "").split { $0.isWhitespace }
        guard !enabled.contains("cpu") || !enabled.contains("memory") else { return }
        try write("+cpu +memory", to: file)
    }

    private static func makeFolder(_ path: String) throws {
        guard mkdir(path, 0o755) == 0 || errno == EEXIST else {
            throw ControlGroupError.kernel("mkdir \(path)", errno)
        }
    }

    private static func write(_ value: String, to path: String) throws {
        do {
            let file = try FileDescriptor.open(FilePath(path), .writeOnly, options: .closeOnExec)
            try file.closeAfter { _ = try file.writeAll(value.utf8) }
        } catch let error as Errno {
            throw ControlGroupError.kernel("write \(value) to \(path)", error.rawValue)
        }
    }
}

/// Why control groups are not to be had.
public enum ControlGroupError: Error, Equatable, CustomStringConvertible {
    /// No place on this machine; the text is the first obstacle met.
    case unavailable(String)
    /// What was refused, and the kernel's error number.
    case kernel(String, Int32)
    /// Another lab of the same name is running.
    case inUse(String)

    public var description: String {
        switch self {
        case .unavailable(let reason):
            "no control groups: \(reason). Run as root, or with version 2 under "
                + "`systemd-run --user --scope --property=Delegate=yes`"
        case .kernel(let action, let code): "\(action): \(Errno(rawValue: code))"
        case .inUse(let folder): "\(folder) belongs to a lab that is running"
        }
    }
}
