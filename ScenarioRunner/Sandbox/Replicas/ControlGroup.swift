import Foundation

/// One replica's control group: its limits, and what the kernel counts for it.
///
/// ```
///   v2  <parent>/payment-chaos-<lab>/payment-0/{cpu.max, memory.max, cpu.stat, ...}
///   v1  <cpu>/payment-chaos-<lab>/payment-0/{cpu.cfs_quota_us, cpu.stat}
///       <memory>/payment-chaos-<lab>/payment-0/{memory.limit_in_bytes, memory.oom_control}
/// ```
///
/// Counters read as zero once the group is gone or where the kernel does not keep them.
public struct ControlGroup: Sendable, Equatable {
    /// The replica's name.
    public let name: String
    /// Nil for a group that only counts.
    public let limits: ResourceLimits?
    let version: ControlGroupVersion
    /// One folder for each controller; the same one for all in version 2.
    let folders: ControlGroupFolders

    /// The files to which a process writes its pid to enter.
    public var procsFiles: [String] { folders.distinct.map { $0 + "/cgroup.procs" } }

    /// `command`, started inside the group.
    ///
    /// A shell enters and then becomes the command, so that no instruction of it runs outside. It must be the
    /// outermost wrapper: `ip netns exec` mounts a fresh `/sys`, in which these files do not exist. Exit code 125
    /// says that the group was not to be entered.
    public func enter(_ command: [String]) -> [String] {
        let files = procsFiles.map { "'" + $0.replacing("'", with: "'\\''") + "'" }.joined(separator: " ")
        let script = "for f in \(files); do echo $$ > \"$f\" || exit 125; done; exec \"$@\""
        return ["/bin/sh", "-c", script, "sh"] + command
    }

    /// How many of its processes the kernel has killed for memory.
    public func outOfMemoryKills() -> Int {
        let file = version == .v1 ? "memory.oom_control" : "memory.events"
        return Int(counter("oom_kill", of: file, in: folders.memory))
    }

    /// The pids in it, as this process's PID namespace numbers them; processes outside of it count as 0.
    public func processes() -> [Int32] {
        text("cgroup.procs", in: folders.cpu).split(separator: "\n").compactMap { Int32($0) }
    }

    private func text(_ file: String, in folder: String) -> String {
        let content = try? String(contentsOfFile: folder + "/" + file, encoding: .utf8)
        return (content ?? "").trimmingCharacters(in: .whitespacesAndNewlines)
    }

    private func counter(_ key: String, of file: String, in folder: String) -> UInt64 {
        Self.counter(key, in: text(file, in: folder))
    }

    /// The value of `key` in lines of `key value`; 0 when it is not there.
    static func counter(_ key: String, in text: String) -> UInt64 {
        for line in text.split(separator: "\n") {
            let fields = line.split(separator: " ")
            if fields.count == 2, fields[0] == key { return UInt64(fields[1]) ?? 0 }
        }
        return 0
    }
}

enum ControlGroupVersion: Sendable, Equatable {
    case v1
    case v2
}

struct ControlGroupFolders: Sendable, Equatable {
    let cpu: String
    let memory: String

    enum Controller: Sendable, Equatable {
        case cpu
        case memory
    }

    func folder(of controller: Controller) -> String {
        switch controller {
        case .cpu: cpu
        case .memory: memory
        }
    }

    /// Each folder once, in a fixed order.
    var distinct: [String] {
        var seen: Set<String> = []
        return [cpu, memory].filter { seen.insert($0).inserted }
    }

    /// The folder `name` in each.
    func appending(_ name: String) -> ControlGroupFolders {
        ControlGroupFolders(cpu: cpu + "/" + name, memory: memory + "/" + name)
    }
}

extension ResourceLimits {
    /// One value written to one file of a group.
    struct Setting: Sendable, Equatable {
        let controller: ControlGroupFolders.Controller
        let file: String
        let value: String
        /// Left out without an error where the kernel has no such file (swap accounting is optional).
        var optional = false
    }

    /// What to write, in this order: version 1 refuses memory and swap together below memory alone.
    /// Swap is none, as on Kubernetes: a replica over its limit is killed rather than slowed.
    func settings(_ version: ControlGroupVersion) -> [Setting] {
        let period = 100_000
        let quota = cpuMillicores * period / 1000
        return switch version {
        case .v1:
            [
                Setting(controller: .cpu, file: "cpu.cfs_period_us", value: "\(period)"),
                Setting(controller: .cpu, file: "cpu.cfs_quota_us", value: "\(quota)"),
                Setting(controller: .memory, file: "memory.limit_in_bytes", value: "\(memoryBytes)"),
                Setting(
                    controller: .memory, file: "memory.memsw.limit_in_bytes", value: "\(memoryBytes)", optional: true),
            ]
        case .v2:
            [
                Setting(controller: .cpu, file: "cpu.max", value: "\(quota) \(period)"),
                Setting(controller: .memory, file: "memory.max", value: "\(memoryBytes)"),
                Setting(controller: .memory, file: "memory.swap.max", value: "0", optional: true),
            ]
        }
    }
}
