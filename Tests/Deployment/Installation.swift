@testable import Experiments

/// Everything that one `kubectl apply` brings, and the questions that the rules ask of it.
struct Installation: Sendable {
    let documents: [ManifestTree]

    static let namespace = "payment-chaos"
    /// The image of the four executables; other images are other people's.
    static let image = "payment-system:latest"

    /// The names of the four executables' services, as in the folders of their OpenAPI files.
    static let openAPI = [
        "payment-service": "Services/Payment/openapi.yaml", "inventory-service": "Services/Inventory/openapi.yaml",
        "notification-service": "Services/Notification/openapi.yaml",
        "scenario-runner": "ScenarioRunner/App/openapi.yaml",
    ]

    var workloads: [Workload] {
        (all("Deployment") + all("StatefulSet")).map(Workload.init)
    }

    func all(_ kind: String) -> [ManifestTree] { documents.filter { $0.kind == kind } }

    func named(_ kind: String, _ name: String) -> ManifestTree? { all(kind).first { $0.name == name } }

    func workload(_ name: String) -> Workload? { workloads.first { $0.name == name } }

    /// The pods behind a Service.
    func workloads(of service: ManifestTree) -> [Workload] {
        let labels = service.map("spec.selector")
        return labels.isEmpty ? [] : workloads.filter { $0.has(labels) }
    }

    /// How many pods a workload has at least.
    func leastReplicas(_ workload: Workload) -> Int {
        let scaler = all("HorizontalPodAutoscaler").first { $0.text("spec.scaleTargetRef.name") == workload.name }
        return scaler?.at("spec.minReplicas")?.integer ?? workload.tree.at("spec.replicas")?.integer ?? 1
    }
}

/// A Deployment or a StatefulSet.
struct Workload: Sendable {
    let tree: ManifestTree

    var name: String { tree.name }
    var labels: [String: String] { tree.map("spec.template.metadata.labels") }
    var pod: ManifestTree { tree.at("spec.template.spec") ?? .fields([]) }
    var containers: [ManifestTree] { pod.items("containers") }
    var allContainers: [ManifestTree] { pod.items("initContainers") + containers }
    /// One of the four executables.
    var isOurs: Bool { containers.contains { $0.text("image") == Installation.image } }

    func has(_ wanted: [String: String]) -> Bool { wanted.allSatisfy { labels[$0.key] == $0.value } }

    /// A selector with labels and expressions; an empty one selects everything.
    func matches(_ selector: ManifestTree) -> Bool {
        has(selector.map("matchLabels"))
            && selector.items("matchExpressions").allSatisfy { expression in
                let value = labels[expression.text("key") ?? ""]
                let values = expression.texts("values")
                return switch expression.text("operator") {
                case "In": value.map(values.contains) ?? false
                case "NotIn": value.map { !values.contains($0) } ?? true
                case "Exists": value != nil
                default: value == nil
                }
            }
    }

    /// Port numbers by name.
    var ports: [String: Int] {
        Dictionary(
            containers.flatMap { $0.items("ports") }.compactMap { port in
                port.at("containerPort")?.integer.map { (port.text("name") ?? "\($0)", $0) }
            }
        ) { $1 }
    }

    /// Names of the claims that its pods mount.
    var claims: [String] { pod.items("volumes").compactMap { $0.text("persistentVolumeClaim.claimName") } }
}
