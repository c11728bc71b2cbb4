import Experiments
import Glibc

/// Kernel, ports, memory, processors and folders.
enum MachineChecks {
    /// pidfd, by which processes are waited for, came with 5.4.
    static func kernel(release: String?) -> Finding {
        let release = release ?? "unknown"
        let numbers = release.split(separator: ".").prefix(2).compactMap { part in Int(part.prefix(while: \.isNumber)) }
        guard numbers.count == 2, (numbers[0], numbers[1]) >= (5, 4) else {
            return Finding(
                name: "kernel", status: .degraded, detail: "Linux \(release): the lab is tested from 5.4 up",
                remedy: "a newer kernel")
        }
        return Finding(name: "kernel", status: .ok, detail: "Linux \(release)")
    }

    static func port(_ port: Int) -> Finding {
        do {
            try FrontDoorSockets.bind([("probe", port)]).close()
            return Finding(name: "port \(port)", status: .ok, detail: "free on 127.0.0.1")
        } catch {
            return Finding(
                name: "port \(port)", status: .missing, detail: "not free: no lab can start on it",
                remedy: "if no lab of yours has it: \(error)")
        }
    }

    /// Seven replicas at 128 MiB, the runner and the load generator.
    private static let comfortableMiB = 1536

    static func memory() -> Finding {
        let line = SystemFile.text("/proc/meminfo")?.split(separator: "\n").first { $0.hasPrefix("MemAvailable:") }
        guard let kiB = line?.split(separator: " ").dropFirst().first.flatMap({ Int($0) }) else {
            return Finding(name: "memory", status: .degraded, detail: "/proc/meminfo does not tell what is available")
        }
        let available = "\(kiB / 1024) MiB available"
        guard kiB / 1024 < comfortableMiB else { return Finding(name: "memory", status: .ok, detail: available) }
        return Finding(
            name: "memory", status: .degraded,
            detail: "\(available), \(comfortableMiB) MiB is comfortable: the kernel may kill replicas unasked",
            remedy: "end other programs, or start fewer replicas")
    }

    static func processors() -> Finding {
        // What this process may use, which in a container or under taskset is less than the machine has.
        let mask = SystemFile.text("/proc/self/status")?.split(separator: "\n").first { $0.hasPrefix("Cpus_allowed:") }
        let count =
            mask.map { $0.dropFirst("Cpus_allowed:".count).compactMap(\.hexDigitValue).map(\.nonzeroBitCount) }?
            .reduce(0, +) ?? 1
        guard count < 2 else { return Finding(name: "processors", status: .ok, detail: "\(count)") }
        return Finding(
            name: "processors", status: .degraded,
            detail: "\(count): load generator and services share it, so latencies include the generator's own",
            remedy: "2 processors or more")
    }

    /// Room for the data and the logs of a long evening.
    private static let comfortableDiskMiB: UInt = 512

    /// Looks at the folder, or at the nearest one above it that exists.
    static func folder(_ path: String) -> Finding {
        let existing = nearestExisting(path)
        guard access(existing, W_OK | X_OK) == 0 else {
            return Finding(
                name: "data folder", status: .missing,
                detail: "\(existing) cannot be written: the services cannot start",
                remedy: "chown it, or choose another folder")
        }
        var disk = statvfs()
        guard statvfs(existing, &disk) == 0 else {
            return Finding(name: "data folder", status: .ok, detail: "\(path) can be written")
        }
        let free = (disk.f_bavail * disk.f_frsize) >> 20
        guard free < comfortableDiskMiB else {
            return Finding(name: "data folder", status: .ok, detail: "\(path) can be written, \(free) MiB free")
        }
        return Finding(
            name: "data folder", status: .degraded,
            detail: "only \(free) MiB free at \(existing): payments may not be stored",
            remedy: "free \(comfortableDiskMiB) MiB, or choose another folder")
    }

    private static func nearestExisting(_ path: String) -> String {
        var parts = path.split(separator: "/", omittingEmptySubsequences: true)
        let root = path.hasPrefix("/") ? "/" : "./"
        while !parts.isEmpty {
            let candidate = root + parts.joined(separator: "/")
            if access(candidate, F_OK) == 0 { return candidate }
            parts.removeLast()
        }
        return root
    }
}
