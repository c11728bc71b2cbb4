import Experiments

/// The programs that the lab runs.
enum ToolChecks {
    private struct Tool {
        let name: String
        let package: String
        let status: Finding.Status
        /// What does not work without it.
        let lost: String
    }

    private static let tools = [
        Tool(
            name: "unshare", package: "util-linux", status: .missing, lost: "only the plain lab, without network faults"
        ),
        Tool(
            name: "nsenter", package: "util-linux", status: .missing, lost: "only the plain lab, without network faults"
        ),
        Tool(name: "ip", package: "iproute2", status: .missing, lost: "only the plain lab, without network faults"),
        Tool(name: "nft", package: "nftables", status: .missing, lost: "only the plain lab, without network faults"),
        Tool(
            name: "taskset", package: "util-linux", status: .degraded,
            lost: "no CPU stress where cgroups cannot be written"),
        Tool(name: "python3", package: "python3", status: .degraded, lost: "no Locust load; the built-in load works"),
    ]

    /// - Parameter path: where a tool is, or nil.
    static func findings(path: (String) -> String?) -> [Finding] {
        tools.map { tool in
            guard let path = path(tool.name) else {
                return Finding(
                    name: tool.name, status: tool.status, detail: "not installed: \(tool.lost)",
                    remedy: "apt-get install \(tool.package)")
            }
            return Finding(name: tool.name, status: .ok, detail: path)
        }
    }
}
