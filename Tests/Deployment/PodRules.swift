import Shared

@testable import Experiments

extension Rule {
    /// The restricted Pod Security Standard, and a root file system that nothing writes to.
    static let security = Rule(description: "security") { installation in
        installation.workloads.flatMap { workload -> [String] in
            let pod = workload.pod.at("securityContext") ?? .fields([])
            var problems: [String] = []
            if pod.text("runAsNonRoot") != "true" || (pod.at("runAsUser")?.integer ?? 0) == 0 {
                problems.append("\(workload.name): may run as root")
            }
            if pod.text("seccompProfile.type") != "RuntimeDefault" { problems.append("\(workload.name): seccomp") }
            if !workload.claims.isEmpty, pod["fsGroup"] == nil {
                problems.append("\(workload.name): cannot write to its claim without fsGroup")
            }
            if workload.pod.text("enableServiceLinks") != "false" {
                problems.append("\(workload.name): Services write into its environment")
            }
            for container in workload.allContainers {
                let own = container.at("securityContext") ?? .fields([])
                if own.text("allowPrivilegeEscalation") != "false" || own.texts("capabilities.drop") != ["ALL"]
                    || own.text("readOnlyRootFilesystem") != "true" || own["runAsUser"] != nil
                {
                    problems.append("\(workload.name)/\(container.text("name") ?? ""): is not restricted")
                }
            }
            return problems
        }
    }

    /// Only the runner has a token.
    static let accounts = Rule(description: "accounts") { installation in
        installation.workloads.compactMap { workload in
            let token = workload.pod.text("automountServiceAccountToken")
            let isRunner = workload.name == "scenario-runner"
            return token == (isRunner ? "true" : "false")
                && workload.pod.text("serviceAccountName") == (isRunner ? "scenario-runner" : nil)
                ? nil : "\(workload.name): token \(token ?? "by default")"
        }
    }

    /// Requests in flight are given the time that the servers take for them, after the time in which a Service still
    /// sends new ones.
    static let endings = Rule(description: "endings") { installation in
        installation.workloads.filter { shop.contains($0.name) }.compactMap { workload in
            let command = workload.containers[0].texts("lifecycle.preStop.exec.command")
            let pause = command.first == "sleep" ? command.last.flatMap(Int.init) ?? 0 : 0
            let drain = Int(ServiceMain.drainTime.components.seconds) + 3
            let grace = workload.pod.at("terminationGracePeriodSeconds")?.integer ?? 30
            let rolls = workload.tree.text("spec.strategy.rollingUpdate.maxUnavailable") == "0"
            return pause >= 3 && grace >= pause + drain && rolls
                ? nil : "\(workload.name): requests are lost when a pod ends"
        }
    }

    /// A ReadWriteOnce volume is on one node: pods that share one ask for the same node, and each finds the others.
    static let claims = Rule(description: "claims") { installation in
        installation.all("PersistentVolumeClaim").flatMap { claim -> [String] in
            let users = installation.workloads.filter { $0.claims.contains(claim.name) }
            guard !users.isEmpty else { return ["\(claim.title): nobody mounts it"] }
            let isAlone =
                users.count == 1 && installation.leastReplicas(users[0]) == 1
                && users[0].tree.text("spec.strategy.type") == "Recreate"
            guard claim.texts("spec.accessModes") == ["ReadWriteOnce"], !isAlone else { return [] }
            return users.filter { user in
                !user.bindingTerms.contains { term in
                    let selector = term.at("labelSelector") ?? .fields([])
                    return users.allSatisfy { $0.matches(selector) }
                }
            }.map { "\($0.name): may be put on another node than \(claim.name)" }
        }
    }

    /// A drain ends: of the pods of a budget at least one may go at any time, and its successor finds another node.
    static let budgets = Rule(description: "budgets") { installation in
        installation.all("PodDisruptionBudget").flatMap { budget in
            installation.workloads.filter { $0.matches(budget.at("spec.selector") ?? .fields([])) }.compactMap {
                workload in
                let mayGo = budget.at("spec.maxUnavailable")?.integer ?? 0
                if mayGo < 1 { return "\(budget.title): lets nobody go" }
                if installation.leastReplicas(workload) < 2 { return "\(budget.title): nobody would be left" }
                if !workload.bindingTerms.isEmpty { return "\(budget.title): pods bound to a node that is drained" }
                return nil
            }
        }
    }
}

extension Workload {
    /// Terms that bind its pods to the node of other pods.
    fileprivate var bindingTerms: [ManifestTree] {
        pod.items("affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution").filter {
            $0.text("topologyKey") == "kubernetes.io/hostname"
        }
    }
}
