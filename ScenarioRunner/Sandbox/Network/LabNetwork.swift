/// The lab's network: one router, which is the network namespace this process is in, and a host a replica.
///
/// ```
///   payment-0 (eth0) ----.                          .---- (eth0) inventory-0
///   payment-1 (eth0) ----+-- router: forward, NAT --+---- (eth0) inventory-1
///   client    (eth0) ----'     this process         '---- ...
/// ```
///
/// Everything between two hosts crosses the router's `forward` hook, where the faults are put. What the router
/// itself sends or gets - settings, health checks, measurements of the runner - does not, and so stays whole
/// while the users' traffic suffers. Nothing here needs undoing: it ends with the namespace.
public struct LabNetwork: Sendable {
    public let topology: LabTopology

    public init(topology: LabTopology) {
        self.topology = topology
    }

    /// Builds it. Only in fresh namespaces (``NamespaceLauncher``): it mounts over /run and /etc/hosts.
    ///
    /// - Throws: ``ToolError`` of the step that failed; ``NotInNamespace`` before anything is changed.
    public func start() async throws {
        // Everywhere else the loopback interface has long been up.
        guard try await !CommandLineTool.run("ip", ["-o", "link", "show", "dev", "lo", "up"]).contains("lo") else {
            throw NotInNamespace()
        }
        let plan = LabPlan(topology: topology, baseHosts: SystemFile.text("/etc/hosts") ?? "")
        for step in plan.steps { try await step.take() }
    }

    /// The command that runs `command` on `host`: program first, arguments after.
    ///
    /// It is `nsenter` and not `ip netns exec`, which would also mount another /sys: the cgroup folders would
    /// be out of sight, and in many containers that mount is refused. It ends in an `exec`, so the process
    /// that is started *is* the command: same PID, its signals and its exit code. Its `/run` and its names are the lab's.
    public func command(in host: String, _ command: [String]) -> [String] {
        [CommandLineTool.path(of: "nsenter") ?? "nsenter", "--net=\(Self.namespacePath(of: host))", "--"] + command
    }

    /// The handle of a host's network namespace.
    static func namespacePath(of host: String) -> String { "/run/netns/\(host)" }
}

/// ``LabNetwork/start()`` was called outside fresh namespaces.
public struct NotInNamespace: Error, Sendable, CustomStringConvertible {
    public var description: String {
        "the lab's network is built only in a network namespace of its own; start it with scenario-runner lab"
    }
}
