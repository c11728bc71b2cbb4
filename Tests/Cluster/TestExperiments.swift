import Experiments
import Testing

/// Experiments as their manifests state them.
enum TestExperiments {
    static func experiment(
        _ kind: String, _ spec: String, name: String = "trial", metadata: String = "namespace: payment-chaos"
    ) throws -> Experiment {
        let text = """
            apiVersion: chaos-mesh.org/v1alpha1
            kind: \(kind)
            metadata:
              name: \(name)
              \(metadata)
            spec:
            \(spec.split(separator: "\n", omittingEmptySubsequences: false).map { "  \($0)" }.joined(separator: "\n"))
            """
        let contents = ManifestLoader.load(text, file: "trial.yaml")
        return try #require(contents.experiments.first, "\(contents.problems.map(\.description))")
    }

    private static func selecting(_ app: String, mode: String = "all") -> String {
        "mode: \(mode)\nselector:\n  namespaces: [payment-chaos]\n  labelSelectors: {app: \(app)}\n"
    }

    static func loss(mode: String = "all") throws -> Experiment {
        try experiment(
            "NetworkChaos",
            selecting("payment-service", mode: mode)
                + "action: loss\nloss: {loss: '80'}\nduration: 60s\ndirection: to\ntarget:\n  mode: all\n  selector:\n"
                + "    namespaces: [payment-chaos]\n    labelSelectors: {app: inventory-service}",
            name: "packet-loss-80-percent")
    }

    static func delay(selector: String? = nil, metadata: String = "namespace: payment-chaos") throws -> Experiment {
        try experiment(
            "NetworkChaos",
            "mode: all\n\(selector ?? "selector:\n  labelSelectors: {app: payment-service}")\naction: delay\n"
                + "delay: {latency: 200ms, jitter: 50ms}\nduration: 1m30s", metadata: metadata)
    }

    static func partition() throws -> Experiment {
        try experiment(
            "NetworkChaos",
            selecting("payment-service")
                + "action: partition\nduration: 60s\ndirection: both\ntarget:\n  mode: all\n  selector:\n"
                + "    namespaces: [payment-chaos]\n    labelSelectors: {app: inventory-service}")
    }

    static func stress() throws -> Experiment {
        try experiment(
            "StressChaos",
            selecting("payment-service") + "stressors:\n  cpu: {workers: 2, load: 80}\nduration: 60s")
    }

    static func kill() throws -> Experiment {
        try experiment("PodChaos", selecting("payment-service", mode: "one") + "action: pod-kill\ngracePeriod: 0")
    }

    static func containerKill(_ container: String = "payment-service") throws -> Experiment {
        try experiment(
            "PodChaos", selecting("payment-service") + "action: container-kill\ncontainerNames: [\(container)]")
    }

    static func failure() throws -> Experiment {
        try experiment("PodChaos", selecting("inventory-service") + "action: pod-failure\nduration: 60s")
    }

    static func http() throws -> Experiment {
        try experiment(
            "HTTPChaos",
            selecting("inventory-service") + "target: Request\nport: 5003\npath: '*'\nabort: true\nduration: 60s")
    }

    static func io(selector: String? = nil) throws -> Experiment {
        try experiment(
            "IOChaos",
            (selector.map { "mode: all\n\($0)\n" } ?? selecting("payment-service"))
                + "action: latency\ndelay: 100ms\nvolumePath: /data\npath: '/data/*'\npercent: 50\nduration: 60s")
    }
}
