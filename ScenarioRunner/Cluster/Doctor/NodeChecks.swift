import Experiments
import Shared

/// What Chaos Mesh's daemon needs of the nodes. Only a person's account may look there: the runner's reads its own
/// namespace alone.
enum NodeChecks {
    private struct Node: KubernetesObject {
        struct Status: Decodable {
            struct Info: Decodable {
                let containerRuntimeVersion: String
                let kernelVersion: String
                let osImage: String?
            }
            let nodeInfo: Info
        }

        let metadata: ObjectMetadata
        let status: Status
    }

    private struct DaemonSet: KubernetesObject {
        struct Spec: Decodable {
            struct Template: Decodable {
                struct Spec: Decodable {
                    struct Container: Decodable {
                        let name: String
                        let image: String?
                        let command: [String]?
                        let args: [String]?
                    }
                    let containers: [Container]
                }
                let spec: Spec
            }
            let template: Template
        }

        struct Status: Decodable {
            let desiredNumberScheduled: Int?
            let numberReady: Int?
        }

        let metadata: ObjectMetadata
        let spec: Spec
        let status: Status?
    }

    private struct List<Item: Decodable>: Decodable { let items: [Item] }

    static func findings(_ api: KubernetesAPI) async -> [Finding] {
        let daemon = await daemonSet(api)
        let nodes = await nodes(api)
        return [daemonFinding(daemon), runtimeFinding(daemon, nodes, await runtimesOfPods(api)), netemFinding(nodes)]
    }

    // MARK: What there is

    /// Nil when it may not be looked at.
    private static func daemonSet(_ api: KubernetesAPI) async -> Result<DaemonSet?, ClusterError>? {
        await result {
            let list: List<DaemonSet> = try await api.ask(
                KubernetesAPI.Question(
                    path: "/apis/apps/v1/daemonsets",
                    query: [("labelSelector", "app.kubernetes.io/component=chaos-daemon")],
                    call: KubernetesCall(verb: "list", resource: "daemonsets.apps", namespace: nil)))
            return list.items.first
        }
    }

    private static func nodes(_ api: KubernetesAPI) async -> Result<[Node], ClusterError>? {
        await result {
            let list: List<Node> = try await api.ask(
                KubernetesAPI.Question(
                    path: "/api/v1/nodes", query: [("limit", "200")],
                    call: KubernetesCall(verb: "list", resource: "nodes", namespace: nil)))
            return list.items
        }
    }

    private static func result<Value>(_ ask: () async throws -> Value) async -> Result<Value, ClusterError>? {
        do {
            return .success(try await ask())
        } catch let error as ClusterError {
            return error.kind == .forbidden ? nil : .failure(error)
        } catch {
            return .failure(ClusterError(.brokenAnswer, "\(error)"))
        }
    }

    /// The runtimes that the ids of our own containers name: `containerd`.
    private static func runtimesOfPods(_ api: KubernetesAPI) async -> Set<String> {
        let pods = (try? await api.list(.pods, as: PodObject.self).items) ?? []
        let ids = pods.flatMap { PodFacts($0, namespace: api.access.namespace).containers.compactMap(\.id) }
        return Set(ids.map(runtime))
    }

    /// `containerd` of `containerd://1.7.27`.
    private static func runtime(_ text: String) -> String {
        let name = String(text.prefix { $0 != ":" })
        return name == "cri-o" ? "crio" : name
    }

    // MARK: What it means

    private static func daemonFinding(_ daemon: Result<DaemonSet?, ClusterError>?) -> Finding {
        let name = "chaos daemon"
        switch daemon {
        case nil: return ClusterDoctor.unknown(name, "whether Chaos Mesh's daemon runs on every node")
        case .failure(let error): return ClusterDoctor.missing(name, error)
        case .success(nil):
            return Finding(
                name: name, status: .missing,
                detail: "there is no DaemonSet with app.kubernetes.io/component=chaos-daemon",
                remedy: "install Chaos Mesh with Helm (see README)")
        case .success(let daemon?):
            let (ready, wanted) = (daemon.status?.numberReady ?? 0, daemon.status?.desiredNumberScheduled ?? 0)
            let namespace = daemon.metadata.namespace ?? "chaos-mesh"
            let version = daemon.metadata.labels?["app.kubernetes.io/version"].map { " of Chaos Mesh \($0)" } ?? ""
            return Finding(
                name: name, status: ready == wanted && wanted > 0 ? .ok : .missing,
                detail: "\(ready) of \(wanted)\(version) are ready in \(namespace)",
                remedy: ready == wanted && wanted > 0
                    ? nil : "kubectl -n \(namespace) describe pods -l app.kubernetes.io/component=chaos-daemon")
        }
    }

    private static func runtimeFinding(
        _ daemon: Result<DaemonSet?, ClusterError>?, _ nodes: Result<[Node], ClusterError>?, _ ofPods: Set<String>
    ) -> Finding {
        let name = "container runtime"
        var runtimes = ofPods
        if case .success(let nodes)? = nodes {
            runtimes = Set(nodes.map { runtime($0.status.nodeInfo.containerRuntimeVersion) })
        }
        let there = runtimes.sorted().joined(separator: ", ")
        guard case .success(let found?)? = daemon, let setting = setting(found) else {
            return ClusterDoctor.unknown(
                name, there.isEmpty ? "the nodes' runtime" : "the nodes have \(there); whether the daemon is set to it")
        }
        let wanted = there.isEmpty ? setting.runtime : there
        let remedy =
            "helm upgrade chaos-mesh chaos-mesh/chaos-mesh -n \(found.metadata.namespace ?? "chaos-mesh") "
            + "--reuse-values --set chaosDaemon.runtime=\(wanted) --set chaosDaemon.socketPath=\(socket(of: wanted)) "
            + "(Minikube since 1.39 has containerd; before, docker)"
        guard runtimes.isEmpty || runtimes == [setting.runtime] else {
            return Finding(
                name: name, status: .missing,
                detail:
                    "the nodes have \(there), but Chaos Mesh's daemon is set to \(setting.runtime): it finds no container",
                remedy: remedy)
        }
        // The chart's own path is Docker's, and wins over the runtime that is set.
        if let path = setting.socket, fileName(path) != fileName(socket(of: setting.runtime)) {
            return Finding(
                name: name, status: .missing,
                detail: "Chaos Mesh's daemon is set to \(setting.runtime), but to the socket of another: \(path)",
                remedy: remedy)
        }
        return Finding(
            name: name, status: .ok,
            detail: "\(setting.runtime), and the daemon is set to it (\(setting.socket ?? "its usual socket"))")
    }

    private static func fileName(_ path: String) -> Substring { path.split(separator: "/").last ?? "" }

    /// Where a runtime usually listens on its node.
    private static func socket(of runtime: String) -> String {
        switch runtime {
        case "containerd": "/run/containerd/containerd.sock"
        case "crio": "/var/run/crio/crio.sock"
        default: "/var/run/docker.sock"
        }
    }

    /// What follows `--runtime` and `--runtime-socket-path`.
    private static func setting(_ daemon: DaemonSet) -> (runtime: String, socket: String?)? {
        guard let container = daemon.spec.template.spec.containers.first(where: { $0.name == "chaos-daemon" }) else {
            return nil
        }
        let words = (container.command ?? []) + (container.args ?? [])
        func word(after option: String) -> String? {
            words.firstIndex(of: option).flatMap { $0 + 1 < words.count ? words[$0 + 1] : nil }
                ?? words.first { $0.hasPrefix("\(option)=") }.map { String($0.dropFirst(option.count + 1)) }
        }
        return word(after: "--runtime").map { ($0, word(after: "--runtime-socket-path")) }
    }

    /// Nothing in the API says whether a kernel has a module; only a fault shows it.
    private static func netemFinding(_ nodes: Result<[Node], ClusterError>?) -> Finding {
        var kernels = ""
        if case .success(let nodes)? = nodes {
            kernels = Set(
                nodes.map { "\($0.status.nodeInfo.osImage ?? "?"), kernel \($0.status.nodeInfo.kernelVersion)" }
            )
            .sorted().joined(separator: "; ")
        }
        return Finding(
            name: "netem", status: .degraded,
            detail: "whether the nodes' kernels have it shows with the first delay or loss"
                + (kernels.isEmpty ? "" : " (\(kernels))"),
            remedy: "to be sure, on every node: sudo modprobe sch_netem (Minikube: minikube ssh -- sudo modprobe "
                + "sch_netem; its image for aarch64 has no such module)")
    }
}
