import Experiments
import Shared

/// What a cluster can and cannot do for experiments, found out by asking it. Nothing is changed.
///
/// ```
///   version --> pods --> kinds (discovery) --> rights (SelfSubjectAccessReview)
///                                          --> daemon's setting, nodes (a person's kubeconfig only)
/// ```
public enum ClusterDoctor {
    /// Asks for all of it; some seconds at most, also when nothing answers.
    ///
    /// - Returns: findings in the order in which a person would put them right. When the API server does not answer,
    ///   that is the only one.
    public static func examine(_ api: KubernetesAPI) async -> [Finding] {
        do {
            let version = try await api.version()
            let server = serverFinding(version, at: api.access.server, ahead: api.clock.ahead)
            async let pods = podsFinding(api)
            async let mesh = ChaosMeshChecks.kinds(api)
            async let rights = RightsChecks.finding(api)
            async let nodes = NodeChecks.findings(api)
            return await [server, pods, mesh, rights] + nodes
        } catch {
            return [missing("api server", error)]
        }
    }

    static func missing(_ name: String, _ error: any Error) -> Finding {
        let known = error as? ClusterError
        return Finding(
            name: name, status: .missing, detail: known?.detail ?? "\(error)",
            remedy: known?.remedy ?? "see the log of the runner")
    }

    /// What may be fine, but cannot be seen by the account that asks.
    static func unknown(_ name: String, _ what: String) -> Finding {
        Finding(
            name: name, status: .degraded, detail: "\(what): not known here",
            remedy: "run doctor with your kubeconfig: scenario-runner doctor --target kubernetes")
    }

    /// Times that are far apart make the times of events hard to compare; leases are the server's.
    static func serverFinding(_ version: String, at server: String, ahead: Duration) -> Finding {
        let seconds = ahead.seconds
        guard abs(seconds) > 30 else {
            return Finding(name: "api server", status: .ok, detail: "\(version) at \(server)")
        }
        return Finding(
            name: "api server", status: .degraded,
            detail: "\(version) at \(server); its clock is \(Int(abs(seconds))) s "
                + (seconds > 0 ? "ahead of this machine's" : "behind this machine's"),
            remedy: "set the clocks by NTP (Minikube after a sleep: minikube ssh -- sudo systemctl restart "
                + "systemd-timesyncd, or restart it)")
    }

    private static func podsFinding(_ api: KubernetesAPI) async -> Finding {
        do {
            let pods = try await api.list(.pods, as: PodObject.self).items.map {
                PodFacts($0, namespace: api.access.namespace)
            }
            let ready = pods.count(where: \.isReady)
            let name = api.access.namespace
            guard !pods.isEmpty else {
                return Finding(
                    name: "pods", status: .missing, detail: "the namespace \(name) has no pods, or does not exist",
                    remedy: "kubectl apply -f k8s/deployment.yaml")
            }
            return Finding(
                name: "pods", status: ready == pods.count ? .ok : .degraded,
                detail: "\(ready) of \(pods.count) in \(name) are ready",
                remedy: ready == pods.count ? nil : "kubectl -n \(name) get pods")
        } catch {
            return missing("pods", error)
        }
    }
}
