/// How a ``LabTopology`` is built with the kernel's own tools. Pure: the same topology, the same text.
///
/// ```
///   prepare --> router (one ip batch: namespaces, cables, routes) --> each host (one ip batch) --> NAT, names
/// ```
///
/// A batch a host and one `nft` transaction keep the whole start-up to a dozen processes.
struct LabPlan: Sendable {
    let topology: LabTopology
    /// The host machine's /etc/hosts, to which the lab's names are added.
    let baseHosts: String

    /// All steps, in the order in which they must be taken.
    var steps: [LabStep] {
        prepare + [.run("ip", ["-batch", "-"], input: router)]
            + topology.hosts.map { .run("ip", ["-n", $0.name, "-batch", "-"], input: Self.host($0)) }
            + [.run("nft", ["-f", "-"], input: addressTranslation)] + names
    }

    /// A private /run (where `ip netns` keeps its handles) and the router's switches.
    ///
    /// A fresh namespace takes over the machine's switches, and some machines set the two others:
    /// `rp_filter` drops packets whose sender would be answered through another interface, `arp_ignore` keeps
    /// the router from answering for 10.77.0.1, which is on its loopback.
    private var prepare: [LabStep] {
        [
            .run("mount", ["-t", "tmpfs", "-o", "mode=755,size=16m", "lab", "/run"]),
            .run("mkdir", ["/run/netns"]),
        ]
            + [
                ("ip_forward", "1"), ("conf/all/rp_filter", "0"), ("conf/default/rp_filter", "0"),
                ("conf/all/arp_ignore", "0"), ("conf/default/arp_ignore", "0"),
            ]
            .map { .write("\($0.1)\n", to: "/proc/sys/net/ipv4/\($0.0)") }
    }

    /// Without a route to the virtual addresses the router's own connections fail before NAT is asked.
    var router: String {
        var lines = [
            "link set lo up",
            "addr add \(LabTopology.routerAddress)/32 dev lo",
            "route add \(LabTopology.virtualNetwork) dev lo src \(LabTopology.routerAddress)",
        ]
        for host in topology.hosts {
            lines += [
                "netns add \(host.name)",
                "link add \(host.routerInterface) type veth peer name eth0 netns \(host.name)",
                "link set \(host.routerInterface) up",
                "route add \(host.address)/32 dev \(host.routerInterface)",
            ]
        }
        return Self.text(lines)
    }

    /// A host knows one neighbour, the router, and sends everything there.
    static func host(_ host: LabHost) -> String {
        text([
            "link set lo up",
            "addr add \(host.address)/32 dev eth0",
            "link set eth0 up",
            "route add \(LabTopology.routerAddress)/32 dev eth0",
            "route add default via \(LabTopology.routerAddress)",
        ])
    }

    /// Each new connection to a virtual address goes to the next replica in turn: in `prerouting` for what
    /// the hosts send, in `output` for what the router itself does.
    var addressTranslation: String {
        let rules = topology.services.map { service in
            let turns = service.replicas.enumerated().map { "\($0) : \($1.address)" }.joined(separator: ", ")
            return "    ip daddr \(service.virtualAddress) tcp dport \(service.port) "
                + "dnat to numgen inc mod \(service.replicas.count) map { \(turns) }"
        }
        return Self.text(
            ["table ip lab {", "  chain prerouting_nat {", "    type nat hook prerouting priority dstnat;"] + rules
                + ["  }", "  chain output_nat {", "    type nat hook output priority -100;"] + rules + ["  }", "}"])
    }

    /// A private /etc/hosts, seen by every process in the lab and by none outside.
    private var names: [LabStep] {
        [
            .write(hostsFile, to: "/run/hosts"),
            .run("mount", ["--bind", "/run/hosts", "/etc/hosts"]),
        ]
    }

    /// `inventory-service` (the virtual address), `inventory-0` (one replica), `client`, `scenario-runner`.
    ///
    /// The lab's names come first, for the first match wins.
    var hostsFile: String {
        let virtual = topology.services.map { "\($0.virtualAddress) \($0.names.joined(separator: " "))" }
        let single = topology.hosts.map { "\($0.address) \($0.name)" }
        return Self.text(["\(LabTopology.routerAddress) \(LabTopology.runnerName)"] + virtual + single) + baseHosts
    }

    private static func text(_ lines: [String]) -> String {
        lines.map { $0 + "\n" }.joined()
    }
}
