import Experiments
import Glibc

/// Whether this user can limit processor time and memory by control groups.
///
/// ```
///   /proc/self/mountinfo: where each hierarchy is   --.
///   /proc/self/cgroup:    which group we are in there --> folder --> a group made and removed again
/// ```
enum CgroupChecks {
    /// This process's group in one hierarchy.
    struct Group: Equatable {
        /// 1 or 2.
        let version: Int
        let folder: String
    }

    static func finding() -> Finding {
        let mounts = SystemFile.text("/proc/self/mountinfo") ?? ""
        let membership = SystemFile.text("/proc/self/cgroup") ?? ""
        let groups = ["cpu", "memory"].map { controller in
            Self.groups(of: controller, mounts: mounts, membership: membership).first { canLimit(controller, in: $0) }
        }
        if let cpu = groups[0], let memory = groups[1] {
            return Finding(
                name: "cgroups", status: .ok,
                detail: "processor time by v\(cpu.version), memory by v\(memory.version), both writable")
        }
        let lacking = zip(["processor time", "memory"], groups).filter { $0.1 == nil }.map(\.0)
        return Finding(
            name: "cgroups", status: .degraded,
            detail: "\(lacking.joined(separator: " and ")) cannot be limited by the kernel: "
                + "the runner does it itself, less exactly",
            remedy: "run as root, or have the group delegated: systemd-run --user --scope -p Delegate=yes ...")
    }

    /// The groups that may govern `controller`: its own v1 hierarchy first, for a controller is only ever in one.
    static func groups(of controller: String, mounts: String, membership: String) -> [Group] {
        mounts.split(separator: "\n").compactMap { line -> Group? in
            let halves = line.split(separator: " - ", maxSplits: 1)
            guard halves.count == 2 else { return nil }
            let place = halves[0].split(separator: " ")
            let kind = halves[1].split(separator: " ")
            guard place.count >= 5, kind.count >= 3 else { return nil }
            let version: Int
            let path: Substring?
            if kind[0] == "cgroup2" {
                version = 2
                path = self.path(in: membership) { $0.isEmpty }
            } else if kind[0] == "cgroup", kind[2].split(separator: ",").contains(Substring(controller)) {
                version = 1
                path = self.path(in: membership) { $0.split(separator: ",").contains(Substring(controller)) }
            } else {
                return nil
            }
            guard let path else { return nil }
            return Group(version: version, folder: folder(mount: place[4], root: place[3], path: path))
        }.sorted { $0.version < $1.version }
    }

    /// A line is `number:controllers:path`; v2's has no controllers.
    private static func path(in membership: String, where matches: (Substring) -> Bool) -> Substring? {
        membership.split(separator: "\n").lazy
            .map { $0.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false) }
            .first { $0.count == 3 && matches($0[1]) }?[2]
    }

    /// In a container the mount may show only the part of the hierarchy from `root` down.
    private static func folder(mount: Substring, root: Substring, path: Substring) -> String {
        let inside = root != "/" && path.hasPrefix(root) ? path.dropFirst(root.count) : path
        return String(inside == "/" || inside.isEmpty ? mount : mount + inside)
    }

    /// Makes a group below and removes it again. For v2 the controller must also be ours to hand down.
    private static func canLimit(_ controller: String, in group: Group) -> Bool {
        if group.version == 2 {
            let controllers = SystemFile.line("\(group.folder)/cgroup.controllers") ?? ""
            guard controllers.split(separator: " ").contains(Substring(controller)),
                access("\(group.folder)/cgroup.subtree_control", W_OK) == 0
            else { return false }
        }
        let trial = "\(group.folder)/payment-chaos-doctor-\(getpid())"
        guard mkdir(trial, 0o755) == 0 else { return false }
        return rmdir(trial) == 0
    }
}
