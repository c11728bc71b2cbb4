import Experiments
import Foundation
import Shared
import TestSupport
import Testing

@testable import Cluster

@Suite(.timeLimit(.minutes(1)))
struct ClusterDoctorTests {
    private func findings(
        _ settings: [String: JSONValue] = [:], pods: [JSONValue] = TestPods.all
    ) async throws -> [String: Finding] {
        try await StandIn.run { standIn in
            try await standIn.putPods(pods)
            try await standIn.set(settings)
            return try await standIn.withCluster { cluster in
                let found = await ClusterDoctor.examine(cluster.api)
                #expect(Set(found.map(\.name)).count == found.count)
                for finding in found { #expect((finding.status == .ok) == (finding.remedy == nil), "\(finding)") }
                return Dictionary(found.map { ($0.name, $0) }) { $1 }
            }
        }
    }

    private static let kinds = JSONValue.object([
        "kind": .string("APIResourceList"),
        "resources": .array(
            ChaosKind.all.map { .object(["name": .string($0.plural), "kind": .string($0.kind)]) }),
    ])

    private func nodes(_ runtime: String) -> JSONValue {
        .object([
            "items": .array([
                .object([
                    "metadata": .object(["name": .string("minikube")]),
                    "status": .object([
                        "nodeInfo": .object([
                            "containerRuntimeVersion": .string(runtime), "kernelVersion": .string("6.6.95"),
                            "osImage": .string("Buildroot 2025.02"),
                        ])
                    ]),
                ])
            ])
        ])
    }

    private func daemons(_ runtime: String, socket: String, ready: Int64 = 1) -> JSONValue {
        let command = [
            "/usr/local/bin/chaos-daemon", "--runtime", runtime, "--runtime-socket-path", "/host-run/\(socket)",
        ]
        return .object([
            "items": .array([
                .object([
                    "metadata": .object([
                        "name": .string("chaos-daemon"), "namespace": .string("chaos-mesh"),
                        "labels": .object(["app.kubernetes.io/version": .string("2.8.3")]),
                    ]),
                    "spec": .object([
                        "template": .object([
                            "spec": .object([
                                "containers": .array([
                                    .object([
                                        "name": .string("chaos-daemon"), "command": .array(command.map { .string($0) }),
                                    ])
                                ])
                            ])
                        ])
                    ]),
                    "status": .object(["desiredNumberScheduled": .integer(1), "numberReady": .integer(ready)]),
                ])
            ])
        ])
    }

    private func world(
        nodes: String, daemon: String, socket: String? = nil, ready: Int64 = 1
    ) -> [String: JSONValue] {
        [
            "extra": .object([
                "/apis/chaos-mesh.org/v1alpha1": Self.kinds, "/api/v1/nodes": self.nodes(nodes),
                "/apis/apps/v1/daemonsets": daemons(daemon, socket: socket ?? "\(daemon).sock", ready: ready),
            ])
        ]
    }

    @Test func aClusterThatIsWellHasNothingToPutRight() async throws {
        let found = try await findings(world(nodes: "containerd://1.7.27", daemon: "containerd"))
        #expect(found["api server"]?.detail.hasPrefix("v1.34.0 at https://127.0.0.1:") == true)
        #expect(found["pods"]?.detail == "7 of 7 in payment-chaos are ready")
        #expect(found["chaos mesh"]?.status == .ok)
        #expect(found["rights"]?.status == .ok)
        #expect(found["chaos daemon"]?.detail == "1 of 1 of Chaos Mesh 2.8.3 are ready in chaos-mesh")
        #expect(found["container runtime"]?.status == .ok)
        #expect(found["netem"]?.detail.contains("Buildroot 2025.02, kernel 6.6.95") == true)
    }

    @Test func aDaemonOfAnotherRuntimeIsFound() async throws {
        let found = try await findings(world(nodes: "containerd://1.7.27", daemon: "docker", ready: 0))
        #expect(found["container runtime"]?.status == .missing)
        let remedy = found["container runtime"]?.remedy ?? ""
        #expect(remedy.contains("chaosDaemon.runtime=containerd"))
        #expect(remedy.contains("/run/containerd/containerd.sock"))
        #expect(found["chaos daemon"]?.status == .missing)
    }

    /// As with `--set chaosDaemon.runtime=containerd` alone: the chart's socket is Docker's.
    @Test func aDaemonWithTheSocketOfAnotherRuntimeIsFound() async throws {
        let found = try await findings(
            world(nodes: "containerd://1.7.27", daemon: "containerd", socket: "docker.sock"))
        #expect(found["container runtime"]?.status == .missing)
        #expect(found["container runtime"]?.detail.hasSuffix("of another: /host-run/docker.sock") == true)
        #expect(found["container runtime"]?.remedy?.contains("socketPath=/run/containerd/containerd.sock") == true)
    }

    @Test func whatTheRunnersAccountMayNotSeeIsSaidToBeUnknown() async throws {
        let found = try await findings([
            "denied": .array([
                .string("list nodes"), .string("list daemonsets.apps"), .string("delete iochaos.chaos-mesh.org"),
            ]), "crds": .bool(false),
        ])
        for name in ["chaos daemon", "container runtime"] {
            #expect(found[name]?.status == .degraded)
            #expect(found[name]?.remedy?.contains("with your kubeconfig") == true)
        }
        #expect(found["container runtime"]?.detail.contains("the nodes have containerd") == true)
        #expect(found["rights"]?.status == .missing)
        #expect(found["rights"]?.detail.contains("delete iochaos.chaos-mesh.org") == true)
        #expect(found["chaos mesh"]?.remedy?.contains("helm install") == true)
    }

    @Test func anEmptyNamespaceIsFound() async throws {
        let found = try await findings(world(nodes: "docker://28.0", daemon: "docker"), pods: [])
        #expect(found["pods"]?.remedy == "kubectl apply -f k8s/deployment.yaml")
    }

    @Test func aServerThatDoesNotAnswerIsTheOnlyFinding() async throws {
        let found = try await findings(["tokens": .array([])])
        #expect(found.count == 1)
        #expect(found["api server"]?.status == .missing)
    }

    @Test func everyCallOfTheModuleIsInTheTableOfRights() {
        #expect(KubernetesPermission.all.count == Set(KubernetesPermission.all).count)
        #expect(KubernetesPermission.all.contains(.init(group: "", resource: "pods", verb: "watch")))
        #expect(!KubernetesPermission.all.contains { $0.verb == "*" || $0.resource == "*" || $0.resource == "secrets" })
    }
}
