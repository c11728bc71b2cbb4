import Experiments

/// The pods that an experiment acts on: chosen here, with the run's seed, and not by Chaos Mesh, which throws its own
/// dice. So the plan that a person saw is what is done.
struct PodChoice: Sendable, Equatable {
    let pods: [PodFacts]
    /// The other end of a network fault; nil for everyone.
    let targets: [PodFacts]?

    var names: Set<String> { Set((pods + (targets ?? [])).map(\.name)) }

    /// - Parameters:
    ///   - all: the pods of the namespace. Those that are being deleted are not chosen, nor those that do not run yet,
    ///     into which Chaos Mesh puts nothing; one that is to be killed or to fail may be any.
    ///   - seed: decides what the mode leaves open; nil takes all that may be chosen.
    ///   - ownPod: the runner's own, in which no fault is put: nobody could take it away.
    /// - Throws: ``Refusal`` when a mode chooses nothing, or a selector matches the runner; ``ClusterError`` of kind
    ///   `noPodMatches` when nothing is there now that a selector matches.
    init(_ experiment: Experiment, from all: [PodFacts], seed: UInt64?, ownPod: String? = nil) throws {
        guard let selection = experiment.spec.selection else {
            throw experiment.refusal("kind", "selects no pods")
        }
        var generator = SeededGenerator(seed: seed ?? 0, purpose: "selection")
        let unfit: Set<String> =
            experiment.spec.isOfPods ? ["Succeeded", "Failed"] : ["Succeeded", "Failed", "Pending"]
        let candidates = all.filter { !$0.isBeingDeleted && !unfit.contains($0.phase) }
        func choose(_ selection: ReplicaSelection, _ field: String) throws -> [PodFacts] {
            let matching = candidates.filter { selection.selector.matches($0) }
            guard !matching.isEmpty else {
                let unready = all.count { selection.selector.matches($0) }
                throw ClusterError(
                    .noPodMatches,
                    "\(experiment.name): \(field) selects no pod of the namespace: "
                        + (unready > 0
                            ? "the \(unready) that match are starting or ending"
                            : all.isEmpty ? "there are no pods" : "none of its \(all.count) pods matches"),
                    remedy: "see what is there: kubectl get pods --show-labels")
            }
            guard seed != nil else { return matching }
            let chosen = selection.mode.choose(from: matching, using: &generator)
            guard !chosen.isEmpty else {
                throw experiment.refusal(
                    field, "chooses none of the \(matching.count) pods that match: raise its value")
            }
            return chosen
        }
        if let ownPod, candidates.contains(where: { $0.name == ownPod && selection.selector.matches($0) }) {
            throw experiment.refusal(
                "spec.selector",
                "matches the runner itself (\(ownPod)), which could not take the fault away: add a label")
        }
        pods = try choose(selection, "spec.selector")
        if case .network(let network) = experiment.spec, let target = network.target {
            targets = try choose(target, "spec.target.selector")
        } else {
            targets = nil
        }
        for name in experiment.spec.containerNames {
            guard let pod = pods.first(where: { !$0.containers.map(\.name).contains(name) }) else { continue }
            throw experiment.refusal(
                "spec.containerNames",
                "\(pod.name) has no container '\(name)': it has "
                    + pod.containers.map(\.name).joined(separator: ", "))
        }
    }
}

extension Experiment.Spec {
    /// Whom it acts on; nil for what consists of others.
    var selection: ReplicaSelection? {
        switch self {
        case .network(let spec): spec.source
        case .stress(let spec): spec.target
        case .pod(let spec): spec.target
        case .http(let spec): spec.source
        case .io(let spec): spec.source
        case .schedule, .workflow, .statusCheck, .failureModes, .other: nil
        }
    }

    var containerNames: [String] {
        switch self {
        case .stress(let spec): spec.containerNames
        case .pod(let spec): spec.action == .containerKill ? spec.containerNames : []
        case .io(let spec): spec.containerNames
        default: []
        }
    }

    /// It is done to pods as such, whatever runs in them.
    var isOfPods: Bool {
        if case .pod = self { return true }
        return false
    }

    /// It is done once, and not taken back.
    var isOneShot: Bool {
        if case .pod(let spec) = self { return spec.isOneShot }
        return false
    }
}

extension Selector {
    /// The fields of a pod by which one is selected here, of those that Kubernetes knows.
    static let knownFields = ["metadata.name", "metadata.namespace", "spec.nodeName", "status.phase", "status.podIP"]

    /// As Chaos Mesh does; also what ``matches(_:)-(ReplicaFacts)`` cannot see.
    func matches(_ pod: PodFacts) -> Bool {
        if !pods.isEmpty { return matches(pod.replica) }
        var rest = self
        (rest.annotations, rest.fields, rest.nodes) = ([:], [:], [])
        // All pods here are of the one namespace; a manifest that names none means that one.
        rest.namespaces = []
        return rest.matches(pod.replica)
            && annotations.allSatisfy { pod.annotations[$0.key] == $0.value }
            && (nodes.isEmpty || pod.node.map(nodes.contains) ?? false)
            && fields.allSatisfy { pod.field($0.key) == $0.value }
    }
}

extension PodFacts {
    fileprivate func field(_ path: String) -> String? {
        switch path {
        case "metadata.name": name
        case "metadata.namespace": namespace
        case "spec.nodeName": node
        case "status.phase": phase
        case "status.podIP": address
        default: nil
        }
    }
}
