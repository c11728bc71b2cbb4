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
}
