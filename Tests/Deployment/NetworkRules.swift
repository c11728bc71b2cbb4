import Foundation

@testable import Experiments

/// Which connections the NetworkPolicies let through: what Kubernetes' documentation says of them, no more.
///
/// A pod that a policy of a direction selects may do in that direction what one of its policies allows; the connection
/// is let through where both ends allow it.
struct Reach: Sendable {
    let installation: Installation

    /// An end of a connection that is no pod of ours.
    enum Outside: Sendable {
        case namespace(String)
        case anywhere
    }

    func admits(_ call: Call) -> Bool {
        guard let from = installation.workload(call.from), let to = installation.workload(call.to) else { return false }
        return allows("egress", of: from, peer: { $0.has(to) }, port: call.port)
            && allows("ingress", of: to, peer: { $0.has(from) }, port: call.port)
    }

    func leaves(_ workload: String, to outside: Outside, port: Int) -> Bool {
        guard let workload = installation.workload(workload) else { return false }
        return allows("egress", of: workload, peer: { $0.has(outside) }, port: port)
    }

    func enters(_ workload: String, from outside: Outside, port: Int) -> Bool {
        guard let workload = installation.workload(workload) else { return false }
        return allows("ingress", of: workload, peer: { $0.has(outside) }, port: port)
    }

    private func allows(
        _ direction: String, of workload: Workload, peer isMeant: (Peer) -> Bool, port: Int
    ) -> Bool {
        let policies = installation.all("NetworkPolicy").filter { policy in
            workload.matches(policy.at("spec.podSelector") ?? .fields([]))
                && policy.texts("spec.policyTypes").contains(direction.capitalized)
        }
        guard !policies.isEmpty else { return true }
        return policies.flatMap { $0.items("spec.\(direction)") }.contains { rule in
            let peers = rule.items(direction == "egress" ? "to" : "from")
            let ports = rule.items("ports").compactMap { $0.at("port")?.integer }
            return (ports.isEmpty || ports.contains(port))
                && (peers.isEmpty || peers.contains { isMeant(Peer(tree: $0)) })
        }
    }

    private struct Peer {
        let tree: ManifestTree

        func has(_ workload: Workload) -> Bool {
            if let namespaces = tree["namespaceSelector"], !names(Installation.namespace, namespaces) { return false }
            guard let pods = tree["podSelector"] else { return tree["namespaceSelector"] != nil }
            return workload.matches(pods)
        }

        func has(_ outside: Outside) -> Bool {
            guard case .namespace(let name) = outside, let selector = tree["namespaceSelector"] else { return false }
            return tree["podSelector"] == nil && names(name, selector)
        }

        /// Kubernetes labels each namespace with its own name.
        private func names(_ namespace: String, _ selector: ManifestTree) -> Bool {
            selector.map("matchLabels").allSatisfy { ($0, $1) == ("kubernetes.io/metadata.name", namespace) }
        }
    }
}
