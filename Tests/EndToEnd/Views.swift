import Foundation
import Shared

/// The members of a journal that the tests read; the names are those of the JSON.
struct JournalView: Decodable {
    struct Phase: Decodable {
        let name: String
        let requests: Int
        let success_rate: Double
        let p95_ms: Double
    }
    struct Dose: Decodable {
        let asked: Double
        let delivered: Double
        let low: Double
        let high: Double
        let unit: String
        let effective: Bool
        let kind: String
        let others: [Dose]?
        let detail: String
    }
    let verdict: String
    let seed: UInt64
    let phases: [Phase]
    let dose: Dose?
    let recovery_time_ms: Int?

    func phase(_ name: String) -> Phase? { phases.first { $0.name == name } }
}

/// The replicas of one service in the document of `GET /api/topology`.
struct ReplicaView: Equatable {
    let state: String
    let restarts: Int
    /// Where it answers itself, beside the front door.
    let url: String

    static func all(of service: String, in topology: JSONValue) -> [ReplicaView] {
        let document = topology["services"]?.elements.first { $0["name"] == .string(service) }
        return (document?["replicas"]?.elements ?? []).map { replica in
            guard case .integer(let restarts) = replica["restarts"], case .integer(let port) = replica["port"] else {
                return ReplicaView(state: "", restarts: 0, url: "")
            }
            return ReplicaView(
                state: replica["state"]?.text ?? "", restarts: Int(restarts),
                url: "http://\(replica["address"]?.text ?? ""):\(port)")
        }
    }
}

/// Processes by name among the descendants of one, as the host sees them.
enum HostProcesses {
    static func named(_ name: String, below ancestor: Int32) throws -> [Int32] {
        let parents = try parents()
        return parents.keys.filter { pid in
            self.name(of: pid) == String(name.prefix(15)) && isDescendant(pid, of: ancestor, parents)
        }.sorted()
    }

    /// Every descendant of a process.
    static func all(below ancestor: Int32) throws -> [Int32] {
        let parents = try parents()
        return parents.keys.filter { isDescendant($0, of: ancestor, parents) }.sorted()
    }

    /// The first process inside the namespaces of a lab: the child of its `unshare`.
    static func inner(of outer: Int32) throws -> Int32 {
        let parents = try parents()
        let unshare = parents.keys.first { parents[$0] == outer && name(of: $0) == "unshare" }
        guard let unshare, let inner = parents.keys.first(where: { parents[$0] == unshare }) else {
            throw NotInTime(description: "the lab of \(outer) has no inner process")
        }
        return inner
    }

    private static func parents() throws -> [Int32: Int32] {
        var parents: [Int32: Int32] = [:]
        for entry in try FileManager.default.contentsOfDirectory(atPath: "/proc") {
            // The parent is the second field after the name, which is in parentheses and may hold spaces.
            guard let pid = Int32(entry), let stat = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
                let fields = stat.split(separator: ")").last?.split(separator: " "), fields.count > 1,
                let parent = Int32(fields[1])
            else { continue }
            parents[pid] = parent
        }
        return parents
    }

    private static func name(of pid: Int32) -> String? {
        (try? String(contentsOfFile: "/proc/\(pid)/comm", encoding: .utf8))?
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }

    private static func isDescendant(_ pid: Int32, of ancestor: Int32, _ parents: [Int32: Int32]) -> Bool {
        var current = pid
        while let parent = parents[current], parent > 0 {
            if parent == ancestor { return true }
            current = parent
        }
        return false
    }
}

extension JSONValue {
    /// Of an array; none for anything else.
    var elements: [JSONValue] {
        guard case .array(let elements) = self else { return [] }
        return elements
    }
}
