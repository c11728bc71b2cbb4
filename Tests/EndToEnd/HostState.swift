import Foundation
import Subprocess
import SystemPackage

@testable import Sandbox

/// What a lab could leave on the host: its processes, interfaces, routes, nft rules, mounts. (Its ports are asked for by
/// ``LabProcess/portsAreFree``, and its control groups by ``LabGroups``: other labs run at the same time.)
struct HostState: Equatable, CustomStringConvertible {
    let processes: [String]
    let description: String

    /// - Parameter marker: text that stands in the command line or the environment of every process of one lab: its
    ///   state folder, or the path of an executable.
    static func read(marker: String) async throws -> HostState {
        let processes = try processes(with: marker)
        let host = [
            "interfaces": try await output("ip", ["-brief", "link"]),
            "routes": try await output("ip", ["-4", "route", "show", "table", "all"]),
            "routing rules": try await output("ip", ["-4", "rule", "show"]),
            "rules": try await output("nft", ["list", "ruleset"]),
            "mounts": try String(contentsOfFile: "/proc/self/mounts", encoding: .utf8),
        ]
        let text = host.sorted { $0.key < $1.key }.map { "\($0.key):\n\($0.value)" }.joined(separator: "\n")
        return HostState(processes: processes, description: processes.joined(separator: "\n") + "\n" + text)
    }

    private static func processes(with marker: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: "/proc").filter { Int($0) != nil }.compactMap { pid in
            let texts = ["cmdline", "environ"].compactMap { file in
                FileManager.default.contents(atPath: "/proc/\(pid)/\(file)").map {
                    String(decoding: $0, as: UTF8.self).replacing("\0", with: " ")
                }
            }
            return texts.contains { $0.contains(marker) } ? texts.first : nil
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

/// The control groups of one lab on the host. They outlive a lab that is killed, until the next one starts.
struct LabGroups: Sendable {
    /// Absolute paths of the lab's folders, one a hierarchy; none where the lab could make none.
    let folders: [String]

    /// - Parameter pid: any process of the lab that is in a group, or that has descendants in one.
    static func of(_ pid: Int32) throws -> LabGroups {
        var names: Set<String> = []
        for process in try HostProcesses.all(below: pid) {
            let own = (try? String(contentsOfFile: "/proc/\(process)/cgroup", encoding: .utf8)) ?? ""
            for part in own.split(whereSeparator: { "/\n".contains($0) }) where part.hasPrefix(ControlGroups.prefix) {
                names.insert(String(part))
            }
        }
        let parents = Set(ControlGroupPlaces.ofThisProcess().candidates.flatMap(\.parents.distinct))
        return LabGroups(folders: parents.flatMap { parent in names.map { "\(parent)/\($0)" } }.filter(exists).sorted())
    }

    /// Whether this process may make control groups where a lab would.
    static var areExpected: Bool {
        ControlGroupPlaces.ofThisProcess().candidates.contains { place in
            place.parents.distinct.allSatisfy(FileManager.default.isWritableFile)
        }
    }

    /// Those that are still there.
    var left: [String] { folders.filter(Self.exists) }

    private static func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }
}
