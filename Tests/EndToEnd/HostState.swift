import Foundation
import Subprocess
import SystemPackage

/// What a lab could leave on the host: its processes, interfaces, nft rules, mounts. (Its ports are asked for by
/// ``LabProcess/portsAreFree``: other tests listen on others at the same time.)
struct HostState: Equatable, CustomStringConvertible {
    let processes: [String]
    let description: String

    /// - Parameter marker: text that stands in the command line of every process of one lab: its state folder, or the
    ///   path of an executable.
    static func read(marker: String) async throws -> HostState {
        let processes = try processes(with: marker)
        let host = [
            "interfaces": try await output("ip", ["-brief", "link"]),
            "rules": try await output("nft", ["list", "ruleset"]),
            "mounts": try String(contentsOfFile: "/proc/self/mounts", encoding: .utf8),
        ]
        let text = host.sorted { $0.key < $1.key }.map { "\($0.key):\n\($0.value)" }.joined(separator: "\n")
        return HostState(processes: processes, description: processes.joined(separator: "\n") + "\n" + text)
    }

    private static func processes(with marker: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: "/proc").filter { Int($0) != nil }.compactMap { pid in
            guard let data = FileManager.default.contents(atPath: "/proc/\(pid)/cmdline") else { return nil }
            let command = String(decoding: data, as: UTF8.self).replacing("\0", with: " ")
            return command.contains(marker) ? command : nil
        }.sorted()
    }

    private static func output(_ tool: String, _ arguments: [String]) async throws -> String {
        let path = ["/usr/sbin/", "/sbin/", "/usr/bin/", "/bin/"].map { $0 + tool }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
        guard let path else { return "\(tool) is not installed" }
        let result = try await Subprocess.run(
            .path(FilePath(path)), arguments: Arguments(arguments), input: .none,
            output: .string(limit: 1024 * 1024), error: .discarded)
        return result.standardOutput
    }
}
