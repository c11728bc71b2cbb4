/// What a container record's events mean, and what to do about it.
///
/// StressChaos, IOChaos and killed containers show the words of Chaos Mesh's daemon. Of a NetworkChaos only the step that
/// failed is told, in the order ip sets, iptables, traffic control; why stands in the log of Chaos Mesh's controller alone
/// (`controllers/podnetworkchaos/{ipset,iptable,tc}`).
enum ChaosTrouble {
    private static let ipSets = "unable to flush ip sets"
    private static let iptables = "unable to set ip tables chains"
    private static let trafficControl = "unable to set tcs"

    /// Nil for a failure that may pass: Chaos Mesh tries again.
    static func lasting(_ message: String, target: String) -> ClusterError? {
        let text = message.lowercased()
        if text.contains("expected "), text.contains("://"), text.contains("but got") {
            return ClusterError(
                .notInjected,
                "Chaos Mesh's daemon is set to another container runtime than the node's, \(target) "
                    + "(\(brief(message)))",
                remedy: "helm upgrade chaos-mesh chaos-mesh/chaos-mesh -n chaos-mesh --reuse-values --set "
                    + "chaosDaemon.runtime=containerd --set chaosDaemon.socketPath=/run/containerd/containerd.sock "
                    + "(Minikube since 1.39 has containerd; before, docker)")
        }
        if text.contains("hostnetwork") {
            return ClusterError(
                .notInjected, "\(target) uses the node's network, which Chaos Mesh does not touch (\(brief(message)))",
                remedy: "select pods with networks of their own")
        }
        return nil
    }

    /// For a failure that has lasted until the deadline.
    static func lastingUntilDeadline(_ message: String, target: String) -> ClusterError {
        if let error = lasting(message, target: target) { return error }
        if message.contains(trafficControl) {
            // The daemon does reach the pod: the steps before this one went well.
            return ClusterError(
                .netemMissing,
                "the node's kernel has no netem, or no tbf for bandwidth, which \(target) needs (\(brief(message)))",
                remedy: "load them on every node: sudo modprobe -a sch_netem sch_prio sch_sfq sch_tbf (Minikube: "
                    + "minikube ssh -- sudo modprobe -a ...); Minikube's image for aarch64 has no such modules: "
                    + "partition, stress and kills work there")
        }
        return ClusterError(
            .notInjected, "Chaos Mesh could not inject \(target): \(brief(message))", remedy: remedy(message))
    }

    private static let seeLog =
        "see the logs of Chaos Mesh: kubectl -n chaos-mesh logs deploy/chaos-controller-manager, and ds/chaos-daemon"

    private static func remedy(_ message: String) -> String {
        let text = message.lowercased()
        if text.contains(ipSets) {
            return "Chaos Mesh's daemon does not get at the pod: see its state, its runtime and its socket "
                + "(scenario-runner doctor --target kubernetes); where they are right, the node's kernel lacks ip_set: "
                + "sudo modprobe -a ip_set xt_set"
        }
        if text.contains(iptables) {
            return "the node's kernel lacks what iptables needs: sudo modprobe -a iptable_filter xt_set ip_set; else "
                + seeLog
        }
        if text.contains("no such host") {
            return "Chaos Mesh's controller does not find that name: kubectl get services; where it runs with "
                + "controllerManager.hostNetwork=true, it asks the node, which knows no Services"
        }
        if ["connection refused", "unavailable", "cannot find daemonip"].contains(where: text.contains) {
            return "see whether chaos-daemon runs on the pod's node: kubectl -n chaos-mesh get pods -o wide"
        }
        return seeLog
    }

    /// Of a step that others come before, so that these may have been done.
    static func isOfLaterStep(_ message: String) -> Bool { message.contains(iptables) || isOfLastStep(message) }

    /// Of the step that comes when all others are done.
    static func isOfLastStep(_ message: String) -> Bool { message.contains(trafficControl) }

    /// One line of at most 300 characters.
    static func brief(_ message: String) -> String {
        let line = message.split(whereSeparator: \.isNewline).joined(separator: " ")
        return line.count > 300 ? "\(line.prefix(300))..." : line
    }
}
