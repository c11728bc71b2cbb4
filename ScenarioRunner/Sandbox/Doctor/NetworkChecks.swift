import Experiments
import Glibc

/// Namespaces, and what the kernel can do inside them.
enum NetworkChecks {
    static func namespaces(_ support: NamespaceSupport) -> Finding {
        switch support {
        case .available(.root):
            Finding(name: "namespaces", status: .ok, detail: "network, PID and mount namespaces, as root")
        case .available(.userNamespace):
            Finding(name: "namespaces", status: .ok, detail: "network, PID and mount namespaces in a user namespace")
        case .unavailable(let reason, let remedy):
            Finding(
                name: "namespaces", status: .missing,
                detail: "\(reason): only the plain lab, without network faults", remedy: remedy)
        }
    }

    /// One feature of the kernel, tried by one command in a fresh namespace.
    private struct Feature {
        let name: String
        let command: [String]
        var input: String?
        let status: Finding.Status
        /// What does not work without it.
        let lost: String
        let remedy: String
    }

    private static let features = [
        Feature(
            name: "nft numgen", command: ["nft", "-f", "-"],
            input: """
                table ip probe {
                  chain forward_probe { type filter hook forward priority 0; numgen random mod 10 < 1 counter drop; }
                  chain nat_probe {
                    type nat hook prerouting priority dstnat;
                    ip daddr 10.77.100.1 tcp dport 1 dnat to numgen inc mod 1 map { 0 : 10.77.1.1 }
                  }
                }
                """,
            status: .missing, lost: "no packet loss, no load balancing, so only the plain lab",
            remedy: "a kernel with CONFIG_NFT_NUMGEN and CONFIG_NFT_NAT (modprobe nft_numgen nft_chain_nat)"),
        Feature(
            name: "veth", command: ["ip", "link", "add", "probe0", "type", "veth", "peer", "name", "probe1"],
            status: .missing, lost: "no hosts of their own, so only the plain lab",
            remedy: "a kernel with CONFIG_VETH (modprobe veth)"),
    ]

    /// Tries each feature. Where there are no namespaces there is nothing to try it in.
    static func features(_ support: NamespaceSupport) async -> [Finding] {
        guard case .available(let access) = support else {
            return features.map {
                Finding(name: $0.name, status: $0.status, detail: "not tried, for there are no namespaces: \($0.lost)")
            }
        }
        var findings: [Finding] = []
        for feature in features { findings.append(await examine(feature, access: access)) }
        return findings
    }

    private static func examine(_ feature: Feature, access: NamespaceAccess) async -> Finding {
        do {
            guard let tool = feature.command.first, let path = CommandLineTool.path(of: tool) else {
                return Finding(
                    name: feature.name, status: feature.status,
                    detail: "not tried, for \(feature.command[0]) is not installed: \(feature.lost)")
            }
            let command = access.unshareArguments + [path] + feature.command.dropFirst()
            try await CommandLineTool.run("unshare", command, input: feature.input)
            return Finding(name: feature.name, status: .ok, detail: "works in a fresh namespace")
        } catch {
            return Finding(
                name: feature.name, status: feature.status, detail: "\(reason(error)): \(feature.lost)",
                remedy: feature.remedy)
        }
    }

    /// The first line of what the tool said: the rest shows where in its input it stopped.
    private static func reason(_ error: any Error) -> String {
        guard let error = error as? ToolError, let line = error.standardError.split(whereSeparator: \.isNewline).first
        else { return "\(error)" }
        return String(line)
    }

    /// TUN devices lead packets through the runner, which delays, damages or slows them down.
    static func tun() -> Finding {
        if let (reason, remedy) = TunDevice.obstacle() {
            return Finding(
                name: "tun", status: .degraded,
                detail: "\(reason): no delay, reordering, duplication, corruption, bandwidth or correlated loss",
                remedy: remedy)
        }
        return Finding(name: "tun", status: .ok, detail: "/dev/net/tun can be opened")
    }
}
