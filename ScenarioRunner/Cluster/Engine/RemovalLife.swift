/// The second half of an object's life: from the wish that it goes until it is gone.
///
/// ```
///   deleting --recovered, finalizers taken away--> gone
///      '-- deadline --> nothing of it is in any pod: --force the finalizers--> gone
///                   '-> something may be:            '------ deadline --> stays, and is reported
/// ```
struct RemovalLife: Sendable {
    enum Overdue: Sendable, Equatable {
        /// Its finalizers stay although there is nothing to recover: they may be given up. Why, for people.
        case force(String)
        case stays(ClusterError)
    }

    let name: String
    private(set) var last: ChaosObject?
    private(set) var wasForced = false

    init(name: String) { self.name = name }

    mutating func saw(_ object: ChaosObject) { last = object }

    mutating func forced() { wasForced = true }

    /// It was waited for long enough.
    ///
    /// A record that was injected and not recovered may have left its fault in the pod: to give up its finalizer would
    /// hide it, for nobody would take it away any more. Where the pod is gone, the fault has gone with it.
    ///
    /// - Parameters:
    ///   - pods: the names of those that are there.
    ///   - limit: that was waited, for the text.
    func overdue(pods: Set<String>, _ limit: String) -> Overdue {
        let stuck = (last?.records ?? []).filter { !$0.isRecovered }
        let inForce = stuck.filter { ($0.injectedCount ?? 0) > ($0.recoveredCount ?? 0) && pods.contains($0.pod) }
        if wasForced {
            return .stays(
                ClusterError(
                    .notRemoved,
                    "\(name) is still there \(limit) after its finalizers were given up: Chaos Mesh's "
                        + "controller does not act",
                    remedy: "see whether it runs: kubectl -n chaos-mesh get pods"))
        }
        if let record = inForce.first {
            let reason = record.failure("Recover").map { ": \(ChaosTrouble.brief($0))" } ?? ""
            let targets = inForce.map(\.target).sorted().joined(separator: ", ")
            return .stays(
                ClusterError(
                    .notRemoved, "\(name) could not be recovered in \(targets) within \(limit)\(reason)",
                    remedy: "delete the pods, and the fault goes with them: kubectl delete pod "
                        + Set(inForce.map(\.pod)).sorted().joined(separator: " ")))
        }
        // The daemon may be about to do what it was asked for.
        if let record = stuck.first(where: { pods.contains($0.pod) && $0.failure("Apply") == nil }) {
            return .stays(
                ClusterError(
                    .notRemoved,
                    "\(name) is half-way into \(record.target) (\(record.phase)) after \(limit): Chaos "
                        + "Mesh does not act",
                    remedy: "see whether chaos-daemon runs on the pod's node: kubectl -n chaos-mesh get pods -o wide"))
        }
        guard last?.metadata.finalizers?.isEmpty == false else {
            return .stays(
                ClusterError(.notRemoved, "\(name) is still there \(limit) after it was deleted"))
        }
        return .force(
            stuck.isEmpty
                ? "nothing of it was injected, or all of it is recovered"
                : "it never took in \(stuck.map(\.target).sorted().joined(separator: ", ")), or the pod is gone")
    }
}
