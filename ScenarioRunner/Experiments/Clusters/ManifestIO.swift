extension IOChaosSpec {
    /// The operations of a file system that Chaos Mesh knows (`api/v1alpha1/podiochaos_types.go`, `IoMethod`).
    private static let knownMethods: Set = [
        "lookup", "forget", "getattr", "setattr", "readlink", "mknod", "mkdir", "unlink", "rmdir", "symlink", "rename",
        "link", "open", "read", "write", "flush", "release", "fsync", "opendir", "readdir", "releasedir", "fsyncdir",
        "statfs", "setxattr", "getxattr", "listxattr", "removexattr", "access", "create", "getlk", "setlk", "bmap",
    ]
    private static let attributeNumbers = ["blocks", "gid", "ino", "nlink", "perm", "rdev", "size", "uid"]
    private static let attributeTimes = ["atime", "ctime", "mtime"]
    private static let fileKinds = [
        "namedPipe", "charDevice", "blockDevice", "directory", "regularFile", "symlink", "socket",
    ]

    init(_ fields: ManifestFields, namespace: String) throws(Refusal) {
        try fields.allow([
            "action", "attr", "containerNames", "delay", "duration", "errno", "methods", "mistake", "mode", "path",
            "percent", "remoteCluster", "selector", "value", "volumePath",
        ])
        action = try fields.require("action", fields.choice("action", of: Action.self))
        source = try ReplicaSelection(fields, namespace: namespace)
        volumePath = try fields.require("volumePath", fields.string("volumePath"))
        path = try fields.string("path")
        methods = try fields.strings("methods")
        percent = try fields.integer("percent", in: 0...100) ?? 100
        delay = try fields.quantity("delay", GoDuration.parse)
        errno = try fields.integer("errno", in: 0...Int(Int32.max))
        attributes = try IOChaosSpec.attributes(fields)
        mistake = try IOChaosSpec.mistake(fields)
        containerNames = try fields.strings("containerNames")
        remoteCluster = try fields.string("remoteCluster")
        duration = try fields.duration()
        if let unknown = methods.first(where: { !IOChaosSpec.knownMethods.contains($0) }) {
            throw fields.refusal(
                "methods", "'\(unknown)' is not one of \(IOChaosSpec.knownMethods.sorted().joined(separator: ", "))")
        }
        try checkAction(fields)
    }

    private func checkAction(_ fields: ManifestFields) throws(Refusal) {
        let needed: (field: String, given: Bool) =
            switch action {
            case .latency: ("delay", delay != nil)
            case .fault: ("errno", (errno ?? 0) > 0)
            case .attrOverride: ("attr", attributes != nil)
            case .mistake: ("mistake", mistake != nil)
            }
        guard needed.given else {
            throw fields.refusal(needed.field, "is required with action \(action.rawValue)")
        }
    }

    private static func attributes(_ fields: ManifestFields) throws(Refusal) -> Attributes? {
        guard let attr = try fields.object("attr") else { return nil }
        try attr.allow(attributeNumbers + attributeTimes + ["kind"])
        var numbers: [String: Int] = [:]
        for name in attributeNumbers { numbers[name] = try attr.integer(name, in: 0...Int.max) }
        var times: [String: Time] = [:]
        for name in attributeTimes {
            guard let time = try attr.object(name) else { continue }
            try time.allow(["sec", "nsec"])
            times[name] = Time(
                sec: try time.require("sec", time.integer("sec", in: Int.min...Int.max)),
                nsec: try time.require("nsec", time.integer("nsec", in: 0...999_999_999)))
        }
        let kind = try attr.string("kind")
        if let kind, !fileKinds.contains(kind) {
            throw attr.refusal("kind", "'\(kind)' is not one of \(fileKinds.joined(separator: ", "))")
        }
        return Attributes(numbers: numbers, times: times, kind: kind)
    }

    private static func mistake(_ fields: ManifestFields) throws(Refusal) -> Mistake? {
        guard let mistake = try fields.object("mistake") else { return nil }
        try mistake.allow(["filling", "maxLength", "maxOccurrences"])
        return Mistake(
            filling: try mistake.choice("filling", of: Filling.self),
            maxLength: try mistake.integer("maxLength", in: 1...Int.max),
            maxOccurrences: try mistake.integer("maxOccurrences", in: 1...Int.max))
    }
}
