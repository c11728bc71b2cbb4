/// The file systems that this process sees, from `/proc/self/mounts`.
struct MountTable: Sendable, Equatable {
    struct Mount: Sendable, Equatable {
        let type: String
        let path: String
        let options: [String]
    }

    let mounts: [Mount]

    /// - Parameter text: lines of `device path type options 0 0`, with spaces in paths written as `\040`.
    init(parsing text: String) {
        mounts = text.split(separator: "\n").compactMap { line -> Mount? in
            let fields = line.split(separator: " ")
            guard fields.count >= 4 else { return nil }
            return Mount(
                type: String(fields[2]), path: String(fields[1]).replacing("\\040", with: " "),
                options: fields[3].split(separator: ",").map(String.init))
        }
    }

    /// Where the version 1 hierarchy of `controller` is mounted. Several controllers may share one: `cpu,cpuacct`.
    func hierarchy(of controller: String) -> String? {
        mounts.last { $0.type == "cgroup" && $0.options.contains(controller) }?.path
    }

    /// Where version 2 is mounted.
    var unified: String? { mounts.last { $0.type == "cgroup2" }?.path }
}
