import Cluster

@testable import Experiments

extension Rule {
    /// The runner may do what it calls, and nothing else; nobody else may do anything.
    static let rights = Rule(description: "rights") { installation in
        var problems = installation.all("RoleBinding").flatMap { binding in
            binding.items("subjects").compactMap { subject in
                subject.text("name") == "scenario-runner" && binding.text("roleRef.name") == "scenario-runner"
                    ? nil : "\(binding.title): \(subject.text("name") ?? "") has rights"
            }
        }
        let given = Set(
            installation.all("Role").flatMap { $0.items("rules") }.flatMap { rule in
                rule.texts("apiGroups").flatMap { group in
                    rule.texts("resources").flatMap { resource in
                        rule.texts("verbs").map { KubernetesPermission(group: group, resource: resource, verb: $0) }
                    }
                }
            })
        let needed = Set(KubernetesPermission.all)
        problems += needed.subtracting(given).map { "the runner may not \($0)" }.sorted()
        problems += given.subtracting(needed).map { "the runner may \($0), which it never does" }.sorted()
        return problems
    }

    /// All connections that all replicas may have fit into PostgreSQL, also while a rollout has one more pod of each.
    static let connections = Rule(description: "connections") { installation in
        guard let database = installation.workload("postgres") else { return [] }
        let arguments = database.containers.flatMap { $0.texts("args") }
        let maximum = arguments.compactMap { $0.firstMatch(of: /^max_connections=(\d+)$/).flatMap { Int($0.1) } }.first
        let source = try Repository.text("Shared/Storage/Postgres/PostgresConfiguration.swift")
        let each = source.firstMatch(of: /public var connections = (\d+)/).flatMap { Int($0.1) }
        guard let maximum, let each else { return ["nobody says how many connections there are"] }
        // The last three are the administrator's (superuser_reserved_connections).
        let needed = installation.workloads.reduce(0) { sum, workload in
            let stores = workload.containers.flatMap { $0.items("env") }.count {
                $0.text("value")?.hasPrefix("postgres://") == true
            }
            return sum + stores * each * (installation.mostReplicas(workload) + 1)
        }
        return needed > 0 && needed <= maximum - 3 ? [] : ["\(needed) connections, of \(maximum)"]
    }
}

extension Installation {
    fileprivate func mostReplicas(_ workload: Workload) -> Int {
        let scaler = all("HorizontalPodAutoscaler").first { $0.text("spec.scaleTargetRef.name") == workload.name }
        return scaler?.at("spec.maxReplicas")?.integer ?? leastReplicas(workload)
    }
}
