import Foundation

@testable import Experiments

extension Rule {
    /// Every variable is one that somebody reads, and every address in one is that of a Service with that port.
    static let environment = Rule(description: "environment") { installation in
        try installation.workloads.flatMap { workload -> [String] in
            try workload.containers.flatMap { container -> [String] in
                let known = try workload.isOurs ? names(readBy: workload.name) : nil
                return container.items("env").flatMap { variable -> [String] in
                    let name = variable.text("name") ?? ""
                    let value = variable.text("value") ?? ""
                    var problems: [String] = []
                    if let known, !known.contains(name) { problems.append("\(workload.name): nobody reads \(name)") }
                    if name == "SERVICE_TYPE", ["\(value)-service", value].allSatisfy({ $0 != workload.name }) {
                        problems.append("\(workload.name): SERVICE_TYPE=\(value)")
                    }
                    if let call = Call(from: workload.name, url: value), !call.hasService(in: installation) {
                        problems.append("\(workload.name): \(name) leads to no Service: \(value)")
                    }
                    return problems
                }
            }
        }
    }

    /// The variables that an executable reads, as they stand in its sources: `reader.text("PORT", ...)`.
    static func names(readBy executable: String) throws -> Set<String> {
        let folders = [
            "payment-service": ["Services/Payment", "Shared"], "inventory-service": ["Services/Inventory", "Shared"],
            "notification-service": ["Services/Notification", "Shared"],
            "scenario-runner": ["ScenarioRunner", "Shared"],
        ]
        let files = try (folders[executable] ?? []).flatMap { try Repository.files(below: $0, ending: ".swift") }
        let texts = try files.map(Repository.text)
        let words = texts.flatMap { $0.matches(of: /"([A-Z]+(?:_[A-Z]+)*)"/).map { String($0.1) } }
        // A word alone is too often a method or a piece of SQL.
        return Set(words.filter { $0.contains("_") || ["HOST", "PORT"].contains($0) }).union(["SERVICE_TYPE"])
    }
}

/// A connection from the pods of one workload to a port of another's.
struct Call: Sendable, Hashable, CustomStringConvertible {
    let from: String
    /// The name of a Service, and of the workload behind it.
    let to: String
    let port: Int

    init(_ from: String, _ to: String, _ port: Int) {
        self.from = from
        self.to = to
        self.port = port
    }

    /// What a variable such as `INVENTORY_SERVICE=http://inventory-service:5003` leads to.
    init?(from: String, url: String) {
        guard url.contains("://"), let parts = URLComponents(string: url), let host = parts.host, let port = parts.port
        else { return nil }
        self.init(from, host, port)
    }

    var description: String { "\(from) -> \(to):\(port)" }

    func hasService(in installation: Installation) -> Bool {
        installation.named("Service", to)?.items("spec.ports").contains { $0.at("port")?.integer == port } == true
    }
}
