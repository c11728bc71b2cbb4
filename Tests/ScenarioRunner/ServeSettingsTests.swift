import ArgumentParser
import Cluster
import Foundation
import Load
import Shared
import TestSupport
import Testing

@testable import ScenarioRunner

/// What `scenario-runner serve` is told, and the pods that it sees.
@Suite struct ServeSettingsTests {
    private let pod = KubernetesEnvironment.detect(environment: ["KUBERNETES_SERVICE_HOST": "10.96.0.1"]) { _ in
        "payment-chaos"
    }

    private func settings(
        _ environment: [String: String] = [:], atDesk: Bool = false
    ) async throws -> ServeSettings {
        try await withTemporaryFolder { folder in
            let file = folder.appendingPathComponent("config")
            try Data(Self.kubeconfig.utf8).write(to: file)
            let access = try ClusterAccess.kubeconfig(path: file.path, environment: [:])
            return try ServeSettings(
                environment: environment, pod: atDesk ? nil : pod, access: atDesk ? access : nil)
        }
    }

    private static let kubeconfig = """
        apiVersion: v1
        kind: Config
        current-context: a
        contexts: [{name: a, context: {cluster: a, user: a, namespace: payment-chaos}}]
        clusters: [{name: a, cluster: {server: "https://127.0.0.1:6443"}}]
        users: [{name: a, user: {token: t}}]
        """

    @Test func besideTheServicesTheyAreFoundByName() async throws {
        let settings = try await settings()
        #expect(settings.host == "0.0.0.0" && settings.port == 8000 && settings.callers == CallerRule())
        #expect(
            settings.targets
                == LoadProfile.Targets(
                    payment: "http://payment-service:5002", inventory: "http://inventory-service:5003",
                    notification: "http://notification-service:5004"))
        #expect(settings.runner.folder.root.lastPathComponent == ".lab")
        #expect(settings.runner.cooldownSeconds == 300, "nothing says that this is no production")
    }

    @Test func elsewhereTheyAreBehindPortForwards() async throws {
        let settings = try await settings(atDesk: true)
        #expect(settings.host == "127.0.0.1" && settings.targets.payment == "http://localhost:5002")
        #expect(settings.callers == .thisMachine, "its users are at the same desk")
        #expect(try await self.settings(["HOST": "0.0.0.0"], atDesk: true).callers == CallerRule())
        #expect(settings.runner.cooldownSeconds == 60)
    }

    @Test func theEnvironmentDecides() async throws {
        let settings = try await settings([
            "PORT": "9000", "PAYMENT_SERVICE": "http://pay:1/", "STATE_FOLDER": "/data", "SEED": "7",
            "EXPERIMENTS_FOLDER": "/e", "PROFILES_FOLDER": "/p", "LOCUST_FOLDER": "/l", "ALLOW_TOTAL": "true",
            "SCENARIO_RUNNER_ENVIRONMENT": "local", "CHAOS_TIMEOUT": "5",
        ])
        #expect(settings.chaosTimeout == .seconds(5))
        #expect(settings.port == 9000 && settings.targets.payment == "http://pay:1")
        let runner = settings.runner
        #expect(runner.folder.root.path == "/data" && runner.seed == 7 && runner.allowTotal)
        #expect(runner.experimentsFolder == "/e" && runner.profilesFolder == "/p")
        #expect(runner.locust.profilesFolder == "/l" && runner.cooldownSeconds == 60)
        #expect(runner.remembersHalt, "a pod is started anew without anybody's asking")
    }

    @Test(arguments: [
        ["PORT": "eighty"], ["ALLOW_TOTAL": "perhaps"], ["SEED": "-1"], ["CHAOS_TIMEOUT": "31"],
        ["PAYMENT_SERVICE": "payment"], ["SCENARIO_RUNNER_ENVIRONMENT": "prod"],
    ])
    func whatIsWrongIsNamed(environment: [String: String]) async throws {
        let error = await #expect(throws: SettingsError.self) { try await settings(environment) }
        let (name, value) = try #require(environment.first)
        #expect(error?.description.contains("\(name)=\(value)") == true, "\(error?.description ?? "")")
    }

    @Test func aClusterIsMeantWhereKubectlWouldFindOne() throws {
        func means(_ environment: [String: String], _ arguments: String...) throws -> Bool {
            try KubeconfigOptions.parse(arguments).meansCluster(environment: environment)
        }
        #expect(try !means(["HOME": "/nonexistent"]), "a plain container")
        #expect(try means(["KUBECONFIG": "/etc/kubeconfig"]))
        #expect(try means([:], "--context", "minikube"))
        #expect(try means([:], "--kubeconfig", "a"))
    }

    // MARK: Pods

    private func pod(_ name: String, _ change: (inout PodFacts) -> Void = { _ in }) -> PodFacts {
        var pod = PodFacts(name: name, namespace: "payment-chaos", uid: name)
        pod.labels = ["app": "payment-service"]
        (pod.phase, pod.isReady, pod.address) = ("Running", true, "10.244.0.7")
        pod.containers = [.init(name: "payment-service", isReady: true, restarts: 2, id: "containerd://1")]
        change(&pod)
        return pod
    }

    @Test func podsAreReplicasOfTheServiceThatTheirLabelNames() {
        let other = pod("web-1") { $0.labels = ["app": "web"] }
        let inventory = pod("inventory-1") { $0.labels = ["app": "inventory-service"] }
        let replicas = SystemUnderTest.replicas([inventory, other, pod("payment-1")])
        #expect(
            replicas.first
                == .init(
                    name: "payment-1", tier: "payment", address: "10.244.0.7", port: 5002, state: .up, restarts: 2))
        #expect(replicas.map(\.name) == ["payment-1", "inventory-1"] && replicas.last?.port == 5003)
    }

    @Test func aPodThatIsNotReadyIsOnItsWay() {
        let states = SystemUnderTest.replicas([
            pod("a") { $0.isReady = false }, pod("b") { $0.isBeingDeleted = true }, pod("c") { $0.phase = "Failed" },
        ]).map(\.state)
        #expect(states == [.restarting, .stopped], "one that has failed for good is replaced")
    }
}
