import Foundation

/// Where a lab's folder might be made, the most wanted place first.
///
/// The root of the hierarchy comes before the process's own group: it is the same on every start, so that what a
/// killed lab left behind is found again. The own group and those above it are what an ordinary user is given
/// (`Delegate=yes`).
struct ControlGroupPlaces: Sendable, Equatable {
    struct Place: Sendable, Equatable {
        let version: ControlGroupVersion
        let parents: ControlGroupFolders
    }

    let candidates: [Place]

    static func ofThisProcess() -> ControlGroupPlaces {
        func text(_ path: String) -> String { (try? String(contentsOfFile: path, encoding: .utf8)) ?? "" }
        let exists: (String) -> Bool = { FileManager.default.fileExists(atPath: $0) }
        return ControlGroupPlaces(
            mounts: MountTable(parsing: text("/proc/self/mounts")), ownGroups: text("/proc/self/cgroup"),
            controllers: { text($0 + "/cgroup.controllers").split { $0.isWhitespace }.map(String.init) },
            exists: exists)
    }

    /// - Parameters:
    ///   - ownGroups: `/proc/self/cgroup`: lines of `number:controllers:path`, version 2 without controllers.
    ///   - controllers: what a version 2 folder offers to the folders in it.
    ///   - exists: whether a folder is visible from here.
    init(mounts: MountTable, ownGroups: String, controllers: (String) -> [String], exists: (String) -> Bool) {
        var own: [String: String] = [:]
        for line in ownGroups.split(separator: "\n") {
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { continue }
            for controller in fields[1].split(separator: ",", omittingEmptySubsequences: false) {
                own[String(controller)] = String(fields[2])
            }
        }
        candidates =
            Self.unified(mounts: mounts, own: own[""] ?? "/", controllers: controllers)
            + Self.hierarchies(mounts: mounts, own: own, exists: exists)
    }

    private static func unified(
        mounts: MountTable, own: String, controllers: (String) -> [String]
    ) -> [Place] {
        guard let root = mounts.unified else { return [] }
        var folders = [root]
        var path = own
        while path.count > 1 {
            folders.append(root + path)
            path = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? ""
        }
        return folders.filter { Set(["cpu", "memory"]).isSubset(of: controllers($0)) }.map {
            Place(version: .v2, parents: ControlGroupFolders(cpu: $0, memory: $0))
        }
    }

    private static func hierarchies(
        mounts: MountTable, own: [String: String], exists: (String) -> Bool
    ) -> [Place] {
        guard let cpu = mounts.hierarchy(of: "cpu"), let memory = mounts.hierarchy(of: "memory") else { return [] }
        let roots = ControlGroupFolders(cpu: cpu, memory: memory)
        func below(_ root: String, _ controller: String) -> String {
            let path = own[controller] ?? "/"
            return path == "/" ? root : root + path
        }
        let mine = ControlGroupFolders(cpu: below(cpu, "cpu"), memory: below(memory, "memory"))
        return [roots, mine == roots ? nil : mine].compactMap { $0 }
            .filter { $0.distinct.allSatisfy(exists) }
            .map { Place(version: .v1, parents: $0) }
    }
}
