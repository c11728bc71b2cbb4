/// The first half of an object's life: from its creation until Chaos Mesh has injected it into all that it was made for.
///
/// ```
///   created --finalizer, conditions--> noticed --records--> selected --all Injected, AllInjected--> injected
///      '----- deadline: the controller is silent   |            '--- a failure that lasts --> failed
///                                                  '-- deadline: no pod, or other ones
/// ```
struct InjectionLife: Sendable {
    enum Outcome: Sendable, Equatable {
        case waiting
        case injected
        case failed(ClusterError)
    }

    /// `NetworkChaos/loss-x7k2q`.
    let name: String
    /// The pods that it was made for, by the selector's key of their records.
    let pods: Set<String>
    private(set) var last: ChaosObject?

    init(name: String, pods: Set<String>) {
        self.name = name
        self.pods = pods
    }

    /// The object as it is now.
    mutating func saw(_ object: ChaosObject) -> Outcome {
        last = object
        if object.isBeingDeleted { return gone() }
        let records = object.records
        for record in records where !record.isInjected {
            if let message = record.failure("Apply"),
                let trouble = ChaosTrouble.lasting(message, target: record.target)
            {
                return .failed(trouble)
            }
        }
        if object.status?.experiment?.desiredPhase == "Stop" {
            return .failed(
                ClusterError(
                    .notInjected,
                    "\(name) was stopped before it was injected everywhere: its duration is over, or it "
                        + "was paused",
                    remedy: "give it a longer duration, or take its pause annotation away"))
        }
        guard object.condition("Selected") == true, !records.isEmpty else { return .waiting }
        let missing = pods.subtracting(records.map(\.pod))
        guard missing.isEmpty else {
            return .failed(
                ClusterError(
                    .noPodMatches, "Chaos Mesh did not select \(missing.sorted().joined(separator: ", ")) for \(name)",
                    remedy: "the pods may have just been replaced: try again"))
        }
        // The condition comes one round of the controller after the records.
        let isInjected = object.condition("AllInjected") == true && records.allSatisfy(\.isInjected)
        return isInjected ? .injected : .waiting
    }

    /// It is not there, or is being deleted.
    func gone() -> Outcome {
        .failed(ClusterError(.notInjected, "\(name) was deleted by somebody else before it was injected"))
    }

    /// Nothing more is waited for: why it is not injected.
    ///
    /// - Parameter limit: that was waited, for the text.
    func overdue(_ limit: String) -> ClusterError {
        guard let last, last.isNoticed else {
            return ClusterError(
                .controllerSilent, "Chaos Mesh's controller has not touched \(name) within \(limit)",
                remedy: "see whether it runs and watches this namespace (Helm: clusterScoped, "
                    + "controllerManager.targetNamespace): kubectl -n chaos-mesh get pods")
        }
        guard !last.records.isEmpty else {
            return ClusterError(
                .noPodMatches, "Chaos Mesh selected no pod for \(name) within \(limit)",
                remedy: "where it is set to enableFilterNamespace: kubectl annotate namespace "
                    + "\(last.metadata.namespace ?? "NAMESPACE") chaos-mesh.org/inject=enabled")
        }
        for record in last.records where !record.isInjected {
            if let message = record.failure("Apply") {
                return ChaosTrouble.lastingUntilDeadline(message, target: record.target)
            }
        }
        let waiting = last.records.filter { !$0.isInjected }.map(\.target).sorted()
        return ClusterError(
            .controllerSilent,
            "Chaos Mesh has not injected \(name) within \(limit)"
                + (waiting.isEmpty ? "" : "; still waiting: \(waiting.joined(separator: ", "))"),
            remedy: "see whether chaos-daemon runs on their nodes: kubectl -n chaos-mesh get pods -o wide")
    }
}
