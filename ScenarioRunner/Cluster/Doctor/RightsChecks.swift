import Experiments

/// Whether RBAC allows all that the engine does.
enum RightsChecks {
    static func finding(_ api: KubernetesAPI) async -> Finding {
        do {
            var refused: [KubernetesPermission] = []
            for permission in KubernetesPermission.all where try await !api.isAllowed(permission) {
                refused.append(permission)
            }
            let namespace = api.access.namespace
            guard !refused.isEmpty else {
                return Finding(
                    name: "rights", status: .ok,
                    detail: "all \(KubernetesPermission.all.count) that are used in \(namespace)")
            }
            return Finding(
                name: "rights", status: .missing,
                detail: "RBAC does not allow in \(namespace): \(refused.map(\.description).joined(separator: ", "))",
                remedy: "bind the Role of k8s/deployment.yaml to the account, or ask who owns the namespace")
        } catch {
            return ClusterDoctor.missing("rights", error)
        }
    }
}
