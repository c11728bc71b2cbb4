import Experiments
import Foundation
import Shared
import Testing

@testable import Cluster

/// Network faults on the packets to a Service, which bear its address and not a pod's.
@Suite struct ServiceCallTests {
    private func pod(_ name: String, phase: String = "Running") -> PodFacts {
        var pod = PodFacts(name: name, namespace: "payment-chaos", uid: name)
        pod.labels = ["app": "\(name.prefix { $0 != "-" })-service"]
        pod.phase = phase
        return pod
    }

    private var all: [PodFacts] {
        ["inventory-a", "inventory-b", "notification-a", "payment-a", "payment-b"].map { pod($0) }
    }

    private func fault(
        from source: String = "payment-service", mode: String = "all", _ direction: String,
        to target: String? = "inventory-service", targetMode: String = "all",
        action: String = "action: loss\nloss: {loss: '80'}", more: String = ""
    ) throws -> Experiment {
        let end = target.map {
            "\ntarget: {mode: \(targetMode), selector: {labelSelectors: {app: \($0)}}}"
        }
        return try TestExperiments.experiment(
            "NetworkChaos",
            "mode: \(mode)\nselector: {labelSelectors: {app: \(source)}}\n\(action)\ndirection: \(direction)"
                + (end ?? "") + more)
    }

    private func parts(_ experiment: Experiment, of pods: [PodFacts]? = nil) throws -> [NetworkPart]? {
        let pods = pods ?? all
        return try NetworkPart.parts(
            of: experiment, PodChoice(experiment, from: pods, seed: 1), all: pods, calls: TestPods.calls,
            namespace: "payment-chaos")
    }

    private func specs(_ experiment: Experiment) throws -> [JSONValue?] {
        try (parts(experiment) ?? []).map { part in
            ChaosManifest(
                experiment, kind: .network, runID: "RUN-1", namespace: "payment-chaos",
                choice: try PodChoice(experiment, from: all, seed: 1), part: part, duration: .seconds(60),
                leaseEnd: UnixTime(milliseconds: 0)
            ).body["spec"]
        }
    }

    private static let inventory = "inventory-service.payment-chaos.svc:5003"

    @Test func packetsToAServiceAreKnownByItsAddressToo() throws {
        #expect(try parts(fault("to")) == [NetworkPart(isReversed: false, services: [Self.inventory])])
        let spec = try #require(try specs(fault("to")).first)
        #expect(spec?["externalTargets"] == .array([.string(Self.inventory)]))
        #expect(spec?["direction"] == .string("to"))
        // For networks that choose the pod before the packet leaves its sender.
        let targets = spec?["target"]?["selector"]?["pods"]?["payment-chaos"]
        #expect(targets == .array([.string("inventory-a"), .string("inventory-b")]))
    }

    @Test func bothWaysAreTwoObjectsThatTheWebhookTakes() throws {
        let specs = try specs(fault("both", more: "\ndevice: eth1\ntargetDevice: eth2"))
        try #require(specs.count == 2)
        #expect(specs.map { $0?["direction"] } == [.string("to"), .string("to")])
        #expect(specs[0]?["externalTargets"] == .array([.string(Self.inventory)]))
        // What comes back goes to a pod's own address.
        #expect(specs[1]?["externalTargets"] == nil)
        func pods(_ selection: JSONValue?) -> JSONValue? { selection?["selector"]?["pods"]?["payment-chaos"] }
        let payments = JSONValue.array([.string("payment-a"), .string("payment-b")])
        #expect(pods(specs[0]) == payments && pods(specs[1]?["target"]) == payments)
        #expect(pods(specs[1]) == pods(specs[0]?["target"]))
        #expect(specs[1]?["device"] == .string("eth2") && specs[1]?["targetDevice"] == .string("eth1"))
        #expect(specs.allSatisfy { $0?["loss"]?["loss"] == .string("80") })
        #expect(
            ChaosNaming.name(of: "trial", runID: "RUN-1")
                != ChaosNaming.name(of: "trial", runID: "RUN-1", isReversed: true))
    }

    @Test func fromACallerIsToTheOtherWayRound() throws {
        let reversed = try fault(from: "inventory-service", "from", to: "payment-service")
        #expect(try parts(reversed) == [NetworkPart(isReversed: true, services: [Self.inventory])])
        let spec = try specs(reversed).first
        #expect(spec??["selector"]?["pods"]?["payment-chaos"] == .array([.string("payment-a"), .string("payment-b")]))
    }

    @Test func whatNeedsNoServiceIsAsTheManifestSays() throws {
        // Answers go to pods, a partition drops what arrives, and everyone is everyone.
        #expect(try parts(fault("from")) == nil)
        #expect(try parts(fault("both", action: "action: partition")) == nil)
        #expect(try parts(fault("to", targetMode: "one", action: "action: partition")) == nil)
        #expect(try parts(fault("to", to: nil)) == nil)
        #expect(try parts(fault(from: "inventory-service", "to", to: "payment-service")) == nil)
        #expect(try parts(TestExperiments.stress()) == nil)
    }

    @Test func aServiceThatTheManifestNamesIsNamedOnce() throws {
        let own = try fault("to", more: "\nexternalTargets: [\"\(Self.inventory)\", 10.0.0.1]")
        #expect(try specs(own).first??["externalTargets"] == .array([.string(Self.inventory), .string("10.0.0.1")]))
    }

    @Test func aServiceThatIsNotFoundIsSaid() {
        let error = ChaosTrouble.lastingUntilDeadline(
            "lookup inventory-service.payment-chaos.svc on 10.96.0.10:53: no such host", target: "payment-a")
        #expect(error.kind == .notInjected && error.detail.contains("inventory-service.payment-chaos.svc"))
        #expect(error.remedy?.contains("kubectl get services") == true)
    }

    @Test func somePodsOfAServiceCannotBeToldApart() throws {
        let refusal = #expect(throws: Refusal.self) { try parts(fault("to", targetMode: "one")) }
        #expect(refusal?.field == "spec.target.selector")
        #expect(refusal?.reason.hasPrefix("chooses 1 of the 2 pods of inventory-service") == true)
        let reversed = #expect(throws: Refusal.self) {
            try parts(fault(from: "inventory-service", mode: "one", "from", to: "payment-service"))
        }
        #expect(reversed?.field == "spec.selector")
        // A pod that does not serve yet is no pod of the Service's.
        let starting = all + [pod("inventory-c", phase: "Pending")]
        let chosen = try fault("to", targetMode: "fixed, value: '2'")
        let both = starting.filter { $0.name != "inventory-c" }
        #expect(try parts(chosen, of: both)?.count == 1)
    }
}
