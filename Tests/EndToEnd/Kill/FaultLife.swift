import Foundation
import Sandbox

/// One kind of fault: a manifest of it that lasts a second, and the steps of its life.
struct FaultLife: Sendable {
    let name: String
    let kind: String
    let spec: String
    let steps: [FaultStep]
    /// Whether it acts on packets, which a plain lab has not.
    var isNetwork = false
    var needsTun = false

    static let all: [FaultLife] = packets + stresses + pods + plans

    static var manifests: String { all.map(\.manifest).joined(separator: "---\n") }

    var manifest: String {
        guard kind != "ConfigMap" else { return spec }
        return """
            apiVersion: chaos-mesh.org/v1alpha1
            kind: \(kind)
            metadata: {name: \(name), namespace: payment-chaos}
            spec:
            \(spec.split(separator: "\n").map { "  \($0)" }.joined(separator: "\n"))

            """
    }

    /// Where it is started.
    var path: String { "/api/trigger_\(kind == "StressChaos" ? "stress" : "chaos")/\(name)" }

    // MARK: Packets

    private static let packets = [
        network("packet-loss", "action: loss\nloss: {loss: \"80\"}", loss),
        network("partition", "action: partition\ndirection: both", loss),
        network("delay", "action: delay\ndelay: {latency: 50ms, jitter: 10ms}", path, needsTun: true),
        network("duplicate", "action: duplicate\nduplicate: {duplicate: \"50\"}", path, needsTun: true),
        network("corrupt", "action: corrupt\ncorrupt: {corrupt: \"10\"}", path, needsTun: true),
        network(
            "reorder", "action: delay\ndelay: {latency: 50ms, reorder: {reorder: \"50\", gap: 3}}", path, needsTun: true
        ),
        network(
            "bandwidth", "action: bandwidth\nbandwidth: {rate: 1mbit, limit: 100000, buffer: 10000}", path,
            needsTun: true),
        network("correlated-loss", "action: loss\nloss: {loss: \"80\", correlation: \"50\"}", path, needsTun: true),
    ]

    private static let loss: [FaultStep] = [
        .chosen, .lossTableWritten, .applied, .inForce, .leaving, .lossTableDeleted, .gone,
    ]

    /// Each begins with an undo of itself, in case it was applied before.
    private static let path: [FaultStep] =
        [.chosen, .pathTableDeleted, .pathRoutesDeleted, .pathWorkerEnded]
        + [.pathWorkerStarted, .pathDevicesMade, .pathRouted, .pathTableWritten, .applied, .inForce]
        + [.leaving, .pathTableDeleted, .pathRoutesDeleted, .pathWorkerEnded, .gone]

    private static func network(
        _ name: String, _ spec: String, _ steps: [FaultStep], needsTun: Bool = false
    ) -> FaultLife {
        let selection = """
            mode: all
            selector: {labelSelectors: {app: payment-service}}
            target: {mode: all, selector: {labelSelectors: {app: inventory-service}}}
            duration: 1s

            """
        return FaultLife(
            name: name, kind: "NetworkChaos", spec: selection + spec, steps: steps, isNetwork: true, needsTun: needsTun)
    }

    // MARK: Processes

    private static let one = "mode: one\nselector: {labelSelectors: {app: payment-service}}\n"

    private static let stresses = [
        FaultLife(
            name: "cpu", kind: "StressChaos",
            spec: one + "duration: 1s\nstressors: {cpu: {workers: 2, load: 50}}", steps: stress(workers: 2)),
        FaultLife(
            name: "memory", kind: "StressChaos",
            spec: one + "duration: 1s\nstressors: {memory: {workers: 1, size: 8MiB}}", steps: stress(workers: 1)),
        FaultLife(
            name: "disk", kind: "StressChaos",
            spec: one + "duration: 1s\nstressngStressors: --hdd 2 --hdd-bytes 1M", steps: stress(workers: 2)),
    ]

    private static func stress(workers: Int) -> [FaultStep] {
        [.chosen, .stressWorkersTold, .stressWorkersEnded] + Array(repeating: .stressWorkerStarted, count: workers)
            + [.stressTookEffect, .applied, .inForce, .leaving, .stressWorkersTold, .stressWorkersEnded, .gone]
    }

    private static let pods = [
        FaultLife(
            name: "pod-kill", kind: "PodChaos", spec: one + "action: pod-kill\nduration: 1s",
            steps: kill([.killSent, .killDone])),
        FaultLife(
            name: "pod-kill-with-grace", kind: "PodChaos",
            spec: one + "action: pod-kill\ngracePeriod: 5\nduration: 1s", steps: kill([.killSent])),
        FaultLife(
            name: "container-kill", kind: "PodChaos",
            spec: one + "action: container-kill\ncontainerNames: [payment-service]\nduration: 1s",
            steps: kill([.killSent, .killDone])),
        FaultLife(
            name: "pod-failure", kind: "PodChaos",
            spec: "mode: all\nselector: {labelSelectors: {app: inventory-service}}\naction: pod-failure\nduration: 1s",
            steps: failure(replicas: 2)),
    ]

    private static func kill(_ sent: [FaultStep]) -> [FaultStep] {
        [.chosen, .killWithdrawn] + sent + [.applied, .inForce, .leaving, .killWithdrawn, .gone]
    }

    private static func failure(replicas: Int) -> [FaultStep] {
        [.chosen] + Array(repeating: .replicaHeld, count: replicas)
            + [.replicasDown, .applied, .inForce, .leaving]
            + Array(repeating: .replicaReleased, count: replicas) + [.replicasBack, .gone]
    }

    // MARK: Plans over time

    private static let plans = [
        FaultLife(
            name: "failure-modes", kind: "ConfigMap",
            spec: """
                apiVersion: v1
                kind: ConfigMap
                metadata: {name: failure-modes, labels: {payment-chaos.io/kind: failure-modes}}
                data:
                  duration: 2s
                  steps: |
                    0s  card-decline 20%
                    1s  stolen-card 10%

                """,
            steps: [.modesSwitched, .modesTakenUp, .modesSwitched, .modesTakenUp, .modesOff]),
        FaultLife(
            name: "workflow", kind: "Workflow",
            spec: """
                entry: both
                templates:
                  - {name: both, templateType: Serial, children: [busy, down]}
                  - name: busy
                    templateType: StressChaos
                    deadline: 1s
                    stressChaos:
                      mode: one
                      selector: {labelSelectors: {app: payment-service}}
                      stressors: {cpu: {workers: 1, load: 50}}
                  - name: down
                    templateType: PodChaos
                    deadline: 1s
                    podChaos:
                      action: pod-failure
                      mode: one
                      selector: {labelSelectors: {app: notification-service}}
                """,
            steps: stress(workers: 1) + failure(replicas: 1)),
        FaultLife(
            name: "schedule", kind: "Schedule",
            spec: """
                schedule: "@every 1s"
                concurrencyPolicy: Forbid
                type: StressChaos
                stressChaos:
                  mode: one
                  selector: {labelSelectors: {app: payment-service}}
                  duration: 1s
                  stressors: {cpu: {workers: 1, load: 50}}
                """,
            steps: stress(workers: 1)),
    ]
}
