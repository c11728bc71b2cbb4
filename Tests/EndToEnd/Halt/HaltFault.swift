import Foundation

/// One of the faults that are in force when halt is pressed. Each acts in a place of its own, so that any three of them
/// may be in force together.
struct HaltFault: Sendable {
    let name: String
    let kind: String
    /// The manifest's spec, or for failure modes its data.
    let spec: String

    var isStress: Bool { kind == "StressChaos" }

    /// Every kind of fault that the lab makes.
    static let all: [HaltFault] = [
        network("loss", from: "payment", to: "inventory", "action: loss\nloss: {loss: \"30\"}"),
        stress("cpu", "payment-0", "stressors: {cpu: {workers: 2, load: 100}}"),
        pod("pod-failure", "inventory-1", "action: pod-failure"),
        network(
            "correlated-loss", from: "inventory", to: "payment",
            "action: loss\nloss: {loss: \"40\", correlation: \"25\"}"),
        stress("memory", "inventory-0", "stressors: {memory: {workers: 1, size: 30MB}}"),
        pod("pod-kill", "payment-1", "action: pod-kill\ngracePeriod: 5"),
        network(
            "delay", from: "notification", to: "payment", "action: delay\ndelay: {latency: 100ms, jitter: 30ms}"),
        stress("disk", "notification-0", "stressngStressors: --hdd 1 --hdd-bytes 4M"),
        HaltFault(
            name: "failure-modes", kind: "ConfigMap",
            spec: "duration: 2m\nsteps: |\n  0s gateway-timeout 20% delay 2s after-charge, card-decline 20%"),
        selected(
            "external-partition", "NetworkChaos", "labelSelectors: {app: payment-service}",
            "action: partition\nexternalTargets: [notification-service]"),
        selected(
            "bandwidth", "NetworkChaos", "pods: {payment-chaos: [inventory-0]}",
            """
            action: bandwidth
            bandwidth: {rate: 1mbit, limit: 100000, buffer: 10000}
            target: {mode: all, selector: {pods: {payment-chaos: [inventory-1]}}}
            """),
        pod("container-kill", "notification-1", "action: container-kill\ncontainerNames: [notification-service]"),
        network(
            "netem", from: "notification", to: "inventory",
            """
            action: netem
            direction: both
            delay: {latency: 50ms, jitter: 10ms, reorder: {reorder: "20", correlation: "10", gap: 3}}
            duplicate: {duplicate: "10"}
            corrupt: {corrupt: "2"}
            """),
        HaltFault(
            name: "workflow", kind: "Workflow",
            spec: """
                entry: both
                templates:
                  - {name: both, templateType: Parallel, deadline: 2m, children: [busy, deaf]}
                  - name: busy
                    templateType: StressChaos
                    deadline: 1m
                    stressChaos:
                      mode: all
                      selector: {pods: {payment-chaos: [payment-2]}}
                      stressors: {cpu: {workers: 1, load: 50}}
                  - name: deaf
                    templateType: NetworkChaos
                    deadline: 1m
                    networkChaos:
                      action: partition
                      mode: all
                      selector: {pods: {payment-chaos: [payment-2]}}
                      target: {mode: all, selector: {pods: {payment-chaos: [payment-0]}}}
                """),
    ]

    private static func network(_ name: String, from source: String, to target: String, _ spec: String) -> HaltFault {
        selected(
            name, "NetworkChaos", "labelSelectors: {app: \(source)-service}",
            "\(spec)\ntarget: {mode: all, selector: {labelSelectors: {app: \(target)-service}}}")
    }

    private static func stress(_ name: String, _ replica: String, _ spec: String) -> HaltFault {
        selected(name, "StressChaos", "pods: {payment-chaos: [\(replica)]}", spec)
    }

    private static func pod(_ name: String, _ replica: String, _ spec: String) -> HaltFault {
        selected(name, "PodChaos", "pods: {payment-chaos: [\(replica)]}", spec)
    }

    private static func selected(_ name: String, _ kind: String, _ selector: String, _ spec: String) -> HaltFault {
        HaltFault(name: name, kind: kind, spec: "mode: all\nduration: 2m\nselector: {\(selector)}\n\(spec)")
    }

    /// Writes all manifests into a folder that a lab is started with.
    static func writeManifests(to folder: URL) throws {
        try all.map(\.manifest).joined(separator: "---\n").write(
            to: folder.appendingPathComponent("halt.yaml"), atomically: true, encoding: .utf8)
    }

    private var manifest: String {
        let isMap = kind == "ConfigMap"
        let labels = isMap ? "\n  labels: {payment-chaos.io/kind: failure-modes}" : ""
        return """
            apiVersion: \(isMap ? "v1" : "chaos-mesh.org/v1alpha1")
            kind: \(kind)
            metadata:
              name: \(name)
              namespace: payment-chaos\(labels)
            \(isMap ? "data" : "spec"):
            \(spec.split(separator: "\n").map { "  \($0)\n" }.joined())
            """
    }
}
