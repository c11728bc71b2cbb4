/// The second half of an object's life: from the wish that it goes until it is gone.
///
/// ```
///   deleting --recovered, finalizers taken away--> gone
///      '-- deadline --> nothing of it is in any pod: --force the finalizers--> gone
///                   '-> something may be: stays, and is reported
/// ```
struct RemovalLife: Sendable {
    enum Overdue: Sendable, Equatable {
        /// Its finalizers stay although there is nothing to recover: they may be given up. Why, for people.
        case force(String)
        case stays(ClusterError)
    }

    let name: String
    private(set) var last: ChaosObject?

    init(name: String) { self.name = name }

    mutating func saw(_ object: ChaosObject) { last = object }

    private var stuck: [ChaosObject.Record] {
        guard let last else { return [] }
        return last.records.filter { !$0.isRecovered && !last.isIdle($0) }
    }

    /// Those that it has not been taken out of.
    var stuckPods: Set<String> { Set(stuck.map(\.pod)) }

    /// It was waited for long enough.
    ///
    /// A record that was injected and not recovered may have left its fault in the pod: to give up its finalizer would
    /// hide it, for nobody would take it away any more. Where the pod is gone, the fault has gone with it.
    ///
    /// - Parameters:
    ///   - pods: the names of those that are there.
    ///   - unsettled: those of them that have not been brought to what is wanted of them since (``PodRules``).
    ///   - limit: that was waited, for the text.
    func overdue(pods: Set<String>, unsettled: Set<String> = [], _ limit: String) -> Overdue {
        let stuck = stuck
        let inForce = stuck.filter { ($0.injectedCount ?? 0) > ($0.recoveredCount ?? 0) && pods.contains($0.pod) }
        if !inForce.isEmpty { return .stays(notRemoved("could not be recovered in", inForce, "Recover", limit)) }
        // The daemon may be about to do what it was asked for.
        if let record = stuck.first(where: { pods.contains($0.pod) && $0.failure("Apply") == nil }) {
            return .stays(
                ClusterError(
                    .notRemoved,
                    "\(name) is half-way into \(record.target) (\(record.phase)) after \(limit): Chaos "
                        + "Mesh does not act",
                    remedy: "see whether chaos-daemon runs on the pod's node: kubectl -n chaos-mesh get pods -o wide"))
        }
        // A part of it may have been done, and it is not known that it has been undone.
        let inPart = stuck.filter { unsettled.contains($0.pod) && $0.hasFailedPartly }
        if !inPart.isEmpty { return .stays(notRemoved("may be in force in part in", inPart, "Apply", limit)) }
        guard last?.metadata.finalizers?.isEmpty == false else {
            return .stays(
                ClusterError(.notRemoved, "\(name) is still there \(limit) after it was deleted"))
        }
        return .force(
            stuck.isEmpty
                ? "nothing of it was injected, or all of it is recovered"
                : "it never took in \(stuck.map(\.target).sorted().joined(separator: ", ")), or the pod is gone")
    }

    private func notRemoved(
        _ what: String, _ records: [ChaosObject.Record], _ operation: String, _ limit: String
    ) -> ClusterError {
        let reason = records.first?.failure(operation).map { ": \(ChaosTrouble.brief($0))" } ?? ""
        return ClusterError(
            .notRemoved,
            "\(name) \(what) \(records.map(\.target).sorted().joined(separator: ", ")) after \(limit)\(reason)",
            remedy: "delete the pods, and the fault goes with them: kubectl delete pod "
                + Set(records.map(\.pod)).sorted().joined(separator: " "))
    }

    /// Its finalizers were taken off, and it is there nevertheless.
    func staysForced(_ limit: String) -> ClusterError {
        ClusterError(
            .notRemoved,
            "\(name) is still there \(limit) after its finalizers were taken off, although nothing of it is in a pod",
            remedy: "see what holds it: kubectl get \(name) -o yaml")
    }
}
