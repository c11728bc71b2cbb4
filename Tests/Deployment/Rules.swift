import Sandbox
import Shared

@testable import Experiments

/// One thing that has to be true of an installation, beyond what a schema can say.
struct Rule: Sendable, CustomStringConvertible {
    let description: String
    /// What is wrong, in words that name the object; empty when all is well.
    let problems: @Sendable (Installation) throws -> [String]

    static let all = [
        schema, namespaces, references, services, probes, resources, security, accounts, environment, endings, claims,
        budgets, images, rights, connections,
    ]

    /// Unknown and missing fields, wrong types.
    static let schema = Rule(description: "schema") { installation in
        let schema = try Schema.kubernetes.get()
        return installation.documents.flatMap(schema.problems)
    }

    static let namespaces = Rule(description: "namespaces and names") { installation in
        let titles = installation.documents.map(\.title)
        let strays = installation.documents.filter {
            $0.kind != "Namespace" && $0.text("metadata.namespace") != Installation.namespace
        }
        let levels = installation.all("Namespace").filter { namespace in
            ["enforce", "audit", "warn"].contains {
                namespace.map("metadata.labels")["pod-security.kubernetes.io/\($0)"] != "restricted"
            }
        }
        return strays.map { "\($0.title): is not in \(Installation.namespace)" }
            + levels.map { "\($0.title): does not ask for the restricted standard" }
            + Set(titles.filter { title in titles.count { $0 == title } > 1 }).map { "\($0): is there twice" }
    }

    /// What an object names is there.
    static let references = Rule(description: "references") { installation in
        var problems: [String] = []
        func require(_ condition: Bool, _ message: String) { if !condition { problems.append(message) } }
        for workload in installation.workloads {
            let selector = workload.tree.at("spec.selector") ?? .fields([])
            require(!selector.map("matchLabels").isEmpty && workload.matches(selector), "\(workload.name): selector")
            let volumes = workload.pod.items("volumes").compactMap { $0.text("name") }
            let templates = workload.tree.items("spec.volumeClaimTemplates").map(\.name)
            for mount in workload.allContainers.flatMap({ $0.items("volumeMounts") }) {
                let name = mount.text("name") ?? ""
                require((volumes + templates).contains(name), "\(workload.name): no volume \(name)")
            }
            for claim in workload.claims {
                require(
                    installation.named("PersistentVolumeClaim", claim) != nil, "\(workload.name): no claim \(claim)")
            }
            for map in workload.pod.items("volumes").compactMap({ $0.text("configMap.name") }) {
                require(installation.named("ConfigMap", map) != nil, "\(workload.name): no ConfigMap \(map)")
            }
            if let account = workload.pod.text("serviceAccountName") {
                require(installation.named("ServiceAccount", account) != nil, "\(workload.name): no account \(account)")
            }
        }
        for object in installation.all("PodDisruptionBudget") {
            let selector = object.at("spec.selector") ?? .fields([])
            require(installation.workloads.contains { $0.matches(selector) }, "\(object.title): selects nothing")
        }
        for object in installation.all("HorizontalPodAutoscaler") {
            let target = installation.workload(object.text("spec.scaleTargetRef.name") ?? "")
            require(target != nil, "\(object.title): scales nothing")
            require(target?.tree.at("spec.replicas") == nil, "\(object.title): its target says how many as well")
        }
        for binding in installation.all("RoleBinding") {
            require(installation.named("Role", binding.text("roleRef.name") ?? "") != nil, "\(binding.title): no role")
            for subject in binding.items("subjects") {
                let account = installation.named("ServiceAccount", subject.text("name") ?? "")
                require(
                    account != nil && subject.text("namespace") == Installation.namespace, "\(binding.title): subject")
            }
        }
        return problems
    }

    static let services = Rule(description: "Services lead to a port of a pod") { installation in
        installation.all("Service").flatMap { service -> [String] in
            let workloads = installation.workloads(of: service)
            guard workloads.count == 1 else { return ["\(service.title): selects \(workloads.count) workloads"] }
            return service.items("spec.ports").flatMap { port -> [String] in
                let target = port.text("targetPort") ?? port.text("port") ?? ""
                let number = workloads[0].ports[target] ?? workloads[0].ports.values.first { "\($0)" == target }
                return number == port.at("port")?.integer
                    ? [] : ["\(service.title): port \(target) leads to no such port"]
            }
        }
    }

    /// Ours are asked at paths that their own OpenAPI file knows; every container has probes, but for Locust's workers,
    /// which serve nothing.
    static let probes = Rule(description: "probes") { installation in
        try installation.workloads.flatMap { workload -> [String] in
            let paths = try Installation.openAPI[workload.name].map { try Repository.documents($0)[0].at("paths") }
            return workload.containers.flatMap { container -> [String] in
                let wanted = ["startupProbe": "/health", "livenessProbe": "/health", "readinessProbe": "/health/ready"]
                return wanted.sorted { $0.key < $1.key }.compactMap { name, path -> String? in
                    guard let probe = container[name] else {
                        return workload.isOurs ? "\(workload.name): no \(name)" : nil
                    }
                    guard probe["exec"] == nil || workload.isOurs else { return nil }
                    if workload.ports[probe.text("httpGet.port") ?? ""] == nil {
                        return "\(workload.name): the \(name) asks at no port of the container"
                    }
                    guard let paths else { return nil }
                    let asked = probe.text("httpGet.path") ?? ""
                    return asked == path && paths?[asked]?["get"] != nil
                        ? nil : "\(workload.name): the \(name) asks \(asked)"
                }
            }
        }
    }

    /// The three services have the limits that the lab gives its replicas, and everything has some.
    static let resources = Rule(description: "resources") { installation in
        let lab = ResourceLimits.deployment
        let limits = ["cpu": "\(lab.cpuMillicores)m", "memory": "\(lab.memoryBytes >> 20)Mi"]
        let requests = ["cpu": "100m", "memory": "64Mi"]
        return installation.workloads.flatMap { workload in
            workload.allContainers.flatMap { container -> [String] in
                let name = "\(workload.name)/\(container.text("name") ?? "")"
                let given = (container.map("resources.requests"), container.map("resources.limits"))
                if shop.contains(workload.name) {
                    return given == (requests, limits) ? [] : ["\(name): \(given) are not \((requests, limits))"]
                }
                return Set(given.0.keys) == ["cpu", "memory"] && Set(given.1.keys) == ["cpu", "memory"]
                    ? [] : ["\(name): requests or limits are missing"]
            }
        }
    }

    static let shop = ["payment-service", "inventory-service", "notification-service"]

    /// Every container of ours is the same image.
    static let images = Rule(description: "images") { installation in
        let known = [Installation.image, "locustio/locust:\(try locustVersion())", "postgres:17-bookworm"]
        return installation.workloads.flatMap { workload in
            workload.allContainers.compactMap { container in
                let image = container.text("image") ?? ""
                return known.contains(image) && container.text("imagePullPolicy") == "IfNotPresent"
                    ? nil : "\(workload.name): image \(image) \(container.text("imagePullPolicy") ?? "")"
            }
        }
    }

    /// The version that the lab installs.
    static func locustVersion() throws -> String {
        let script = try Repository.text("scripts/locust-venv.sh")
        return script.firstMatch(of: /(?m)^version=(.+)$/).map { String($0.1) } ?? ""
    }
}
