import Experiments

/// What this machine can and cannot do for the lab, found out by trying.
///
/// ```
///   examine: kernel, namespaces, tools --(inside a throw-away namespace)--> nft, veth
///            /dev/net/tun, cgroups, ports, memory, python3, folder        --> [Finding] --> render
/// ```
///
/// Every trial is undone at once or dies with its namespace; nothing is left behind.
public enum Doctor {
    /// Ports of the front door and of the runner.
    public static let ports = [5002, 5003, 5004, LabTopology.runnerPort]

    /// Examines the machine; takes a second or less.
    ///
    /// - Parameters:
    ///   - ports: those on 127.0.0.1 that must be free. A running lab has them itself.
    ///   - databaseFolder: where the services keep their data; it need not exist yet.
    /// - Returns: findings in the order in which a person would put them right.
    public static func examine(
        ports: [Int] = Doctor.ports, databaseFolder: String = ".lab/data"
    ) async -> [Finding] {
        let support = await NamespaceProbe.examine()
        return [MachineChecks.kernel(release: SystemFile.line("/proc/sys/kernel/osrelease"))]
            + ToolChecks.findings { CommandLineTool.path(of: $0) }
            + [NetworkChecks.namespaces(support)]
            + (await NetworkChecks.features(support))
            + [NetworkChecks.tun(), CgroupChecks.finding()]
            + ports.map(MachineChecks.port)
            + [MachineChecks.memory(), MachineChecks.processors(), MachineChecks.folder(databaseFolder)]
    }

    /// A table for people: a line a finding, and below it the remedy where there is one.
    public static func render(_ findings: [Finding]) -> String {
        let width = findings.map(\.name.count).max() ?? 0
        return findings.map { finding in
            let status = padded(finding.status.rawValue, to: "degraded".count)
            let line = "\(status)  \(padded(finding.name, to: width))  \(finding.detail)\n"
            let indent = String(repeating: " ", count: status.count + width + 4)
            return line + (finding.remedy.map { "\(indent)remedy: \($0)\n" } ?? "")
        }.joined()
    }

    private static func padded(_ text: String, to width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }
}
