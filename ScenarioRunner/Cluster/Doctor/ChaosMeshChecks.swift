import Experiments

/// Whether the kinds of Chaos Mesh are there.
enum ChaosMeshChecks {
    private struct Resources: Decodable {
        struct Resource: Decodable {
            let name: String
            let kind: String
        }
        let resources: [Resource]
    }

    /// Every account may read what the API server serves.
    static func kinds(_ api: KubernetesAPI) async -> Finding {
        let group = "\(ChaosKind.group)/\(ChaosKind.version)"
        do {
            let served: Resources = try await api.ask(
                KubernetesAPI.Question(
                    path: "/apis/\(group)",
                    call: KubernetesCall(verb: "get", resource: "resources.\(ChaosKind.group)", namespace: nil)))
            let missing = ChaosKind.all.filter { kind in !served.resources.contains { $0.name == kind.plural } }
            guard missing.isEmpty else {
                return Finding(
                    name: "chaos mesh", status: .missing,
                    detail: "\(group) lacks \(missing.map(\.plural).joined(separator: ", "))",
                    remedy: "its CRDs are of another version than 2.8: install them anew")
            }
            return Finding(
                name: "chaos mesh", status: .ok, detail: "\(group) with all \(ChaosKind.all.count) kinds that are used")
        } catch {
            return ClusterDoctor.missing("chaos mesh", error)
        }
    }
}
