/// What a container record's events mean, and what to do about it.
///
/// The messages are those of Chaos Mesh's daemon and of the tools that it runs; they come as one text, with the pod's
/// name and the gRPC status around them.
enum ChaosTrouble {
    /// Nil for a failure that may pass: Chaos Mesh tries again.
    static func lasting(_ message: String, target: String) -> ClusterError? {
        let text = message.lowercased()
        func holds(_ parts: String...) -> Bool { parts.contains { text.contains($0) } }
        // iproute2 says the first, the kernel through it the second.
        if holds("qdisc not found", "qdisc kind is unknown", "unknown qdisc") {
            return ClusterError(
                .netemMissing, "the node's kernel lacks netem, which \(target) needs (\(brief(message)))",
                remedy: "load it on every node: sudo modprobe sch_netem sch_prio sch_tbf (Minikube: minikube ssh -- "
                    + "sudo modprobe sch_netem); where there is no such module, partition, stress and kills still work")
        }
        if text.contains("expected "), text.contains("://"), text.contains("but got") {
            return ClusterError(
                .notInjected,
                "Chaos Mesh's daemon is set to another container runtime than the node's, \(target) "
                    + "(\(brief(message)))",
                remedy: "helm upgrade chaos-mesh chaos-mesh/chaos-mesh -n chaos-mesh --reuse-values --set "
                    + "chaosDaemon.runtime=containerd --set chaosDaemon.socketPath=/run/containerd/containerd.sock "
                    + "(Minikube since 1.39 has containerd; before, docker)")
        }
        if holds("hostnetwork") {
            return ClusterError(
                .notInjected, "\(target) uses the node's network, which Chaos Mesh does not touch (\(brief(message)))",
                remedy: "select pods with networks of their own")
        }
        return nil
    }

    /// For a failure that has lasted until the deadline.
    static func lastingUntilDeadline(_ message: String, target: String) -> ClusterError {
        lasting(message, target: target)
            ?? ClusterError(
                .notInjected, "Chaos Mesh could not inject \(target): \(brief(message))", remedy: remedy(message))
    }

    private static func remedy(_ message: String) -> String {
        let text = message.lowercased()
        if text.contains("ip set") || text.contains("ipset") {
            return "the node's kernel lacks ip_set or xt_set: sudo modprobe ip_set xt_set"
        }
        if text.contains("connection refused") || text.contains("unavailable") || text.contains("no chaos-daemon")
            || text.contains("cannot find daemonip")
        {
            return "see whether chaos-daemon runs on the pod's node: kubectl -n chaos-mesh get pods -o wide"
        }
        return "see the log of chaos-daemon on the pod's node: kubectl -n chaos-mesh logs ds/chaos-daemon"
    }

    /// One line of at most 300 characters.
    static func brief(_ message: String) -> String {
        let line = message.split(whereSeparator: \.isNewline).joined(separator: " ")
        return line.count > 300 ? "\(line.prefix(300))..." : line
    }
}
