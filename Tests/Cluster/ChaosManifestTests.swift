import Experiments
import Foundation
import Shared
import Testing

@testable import Cluster

/// What is created for an experiment.
@Suite struct ChaosManifestTests {
    private func pods(_ names: String...) -> [PodFacts] {
        names.map { name in
            var pod = PodFacts(name: name, namespace: "payment-chaos", uid: name)
            pod.labels = ["app": "\(name.prefix { $0 != "-" })-service"]
            pod.phase = "Running"
            pod.containers = [.init(name: pod.labels["app"] ?? "", isReady: true, restarts: 0, id: "containerd://1")]
            return pod
        }
    }

    private var all: [PodFacts] { pods("inventory-a", "inventory-b", "payment-a", "payment-b", "payment-c") }

    private func manifest(_ experiment: Experiment, seed: UInt64 = 1) throws -> ChaosManifest {
        ChaosManifest(
            experiment, kind: try #require(ChaosKind(experiment.kind)), runID: "RUN-1", namespace: "payment-chaos",
            choice: try PodChoice(experiment, from: all, seed: seed), duration: .seconds(150),
            leaseEnd: UnixTime(milliseconds: 1_767_225_600_000))
    }

    @Test func podsAreNamedAndNothingElseIsSelected() throws {
        let body = try manifest(TestExperiments.loss(mode: "one")).body
        let spec = body["spec"]
        #expect(spec?["mode"] == .string("all"))
        #expect(spec?["value"] == nil)
        let selector = spec?["selector"]
        #expect(selector?["namespaces"] == .array([.string("payment-chaos")]))
        #expect(selector?["labelSelectors"] == nil)
        guard case .array(let chosen)? = selector?["pods"]?["payment-chaos"] else {
            Issue.record("no pods")
            return
        }
        #expect(chosen.count == 1)
        let targets = spec?["target"]?["selector"]?["pods"]?["payment-chaos"]
        #expect(targets == .array([.string("inventory-a"), .string("inventory-b")]))
        #expect(spec?["action"] == .string("loss"))
        #expect(spec?["loss"]?["loss"] == .string("80"))
        #expect(spec?["duration"] == .string("2m30s"), "the lease's, not the manifest's")
        #expect(body["kind"] == .string("NetworkChaos"))
        #expect(body["apiVersion"] == .string("chaos-mesh.org/v1alpha1"))
    }

    @Test func theSameSeedChoosesTheSamePod() throws {
        func chosen(_ seed: UInt64) throws -> [String] {
            try PodChoice(TestExperiments.kill(), from: all, seed: seed).pods.map(\.name)
        }
        for seed in 0..<20 as Range<UInt64> { #expect(try chosen(seed) == chosen(seed)) }
        #expect(Set(try (0..<40 as Range<UInt64>).flatMap(chosen)) == ["payment-a", "payment-b", "payment-c"])
    }

    @Test func withoutASeedAllAreTakenThatMayBeChosen() throws {
        let kill = try TestExperiments.kill()
        #expect(try PodChoice(kill, from: all, seed: nil).pods.map(\.name) == ["payment-a", "payment-b", "payment-c"])
    }

    @Test func theRunnerItselfIsNotBroken() throws {
        let everyone = try TestExperiments.delay(selector: "selector: {namespaces: [payment-chaos]}")
        let refusal = #expect(throws: Refusal.self) {
            try PodChoice(everyone, from: all, seed: 1, ownPod: "payment-c")
        }
        #expect(refusal?.field == "spec.selector")
        #expect(refusal?.reason.hasPrefix("matches the runner itself (payment-c)") == true)
        #expect(try PodChoice(everyone, from: all, seed: 1, ownPod: "elsewhere").pods.count == 5)
    }

    @Test func ownersAndLeasesAreMarked() throws {
        let metadata = try manifest(TestExperiments.stress()).body["metadata"]
        let labels = metadata?["labels"]
        #expect(labels?["triggered-by"] == .string("scenario-runner"))
        #expect(labels?["original-scenario"] == .string("trial"))
        #expect(labels?["app.kubernetes.io/managed-by"] == .string("scenario-runner"))
        #expect(labels?[ChaosNaming.ownerLabel] == .string("scenario-runner"))
        #expect(labels?[ChaosNaming.runLabel] == .string("RUN-1"))
        #expect(metadata?["annotations"]?[ChaosNaming.leaseAnnotation] == .string("2026-01-01T00:00:00Z"))
        #expect(metadata?["namespace"] == .string("payment-chaos"))
    }

    @Test func numbersAndTruthValuesStaySo() throws {
        let http = try manifest(TestExperiments.http()).body["spec"]
        #expect(http?["port"] == .integer(5003))
        #expect(http?["abort"] == .bool(true))
        #expect(http?["target"] == .string("Request"), "a word, no selector")
        let io = try manifest(TestExperiments.io()).body["spec"]
        #expect(io?["percent"] == .integer(50))
        #expect(io?["delay"] == .string("100ms"))
        let stress = try manifest(TestExperiments.stress()).body["spec"]
        #expect(stress?["stressors"]?["cpu"]?["workers"] == .integer(2))
    }

    @Test(arguments: ["packet-loss-80-percent", "a.b.c", String(repeating: "x", count: 200), "9-lives-", "Ünicode"])
    func namesAreValidUniqueAndKnownFromTheRun(experiment: String) {
        let name = ChaosNaming.name(of: experiment, runID: "RUN-1")
        #expect(name.utf8.count <= 49)
        #expect(name.wholeMatch(of: /[a-z0-9]([-a-z0-9]*[a-z0-9])?/) != nil, "\(name)")
        #expect(name == ChaosNaming.name(of: experiment, runID: "RUN-1"))
        #expect(name != ChaosNaming.name(of: experiment, runID: "RUN-2"))
    }

    @Test(arguments: [("RUN-1-0-trial.part", "RUN-1-0-trial.part"), ("-a b/c-", "a-b-c"), ("", "")])
    func labelsHoldOnlyWhatTheyMay(text: String, value: String) {
        #expect(ChaosNaming.labelValue(text) == value)
        #expect(ChaosNaming.labelValue(String(repeating: "y", count: 100)).count == 63)
    }

    @Test func whoIsNotThereIsNotChosen() throws {
        func missing(_ experiment: Experiment, _ pods: [PodFacts]) -> String {
            let error = #expect(throws: ClusterError.self) { try PodChoice(experiment, from: pods, seed: 1) }
            #expect(error?.kind == .noPodMatches)
            #expect(error?.remedy == "see what is there: kubectl get pods --show-labels")
            return error?.detail ?? ""
        }
        #expect(try missing(TestExperiments.kill(), []).contains("spec.selector selects no pod"))
        #expect(try missing(TestExperiments.kill(), []).contains("there are no pods"))
        #expect(try missing(TestExperiments.kill(), pods("inventory-a")).contains("none of its 1 pods matches"))
        var leaving = pods("payment-a")
        leaving[0].isBeingDeleted = true
        #expect(try missing(TestExperiments.kill(), leaving).hasSuffix("the 1 that match are starting or ending"))
        #expect(try missing(TestExperiments.loss(), pods("payment-a")).contains("spec.target.selector"))
    }

    @Test func whatIsWrongWithTheManifestIsRefused() throws {
        func refusal(_ experiment: Experiment) -> Refusal? {
            #expect(throws: Refusal.self) { try PodChoice(experiment, from: all, seed: 1) }
        }
        let container = try refusal(TestExperiments.containerKill("sidecar"))
        #expect(container?.field == "spec.containerNames")
        #expect(container?.reason == "payment-a has no container 'sidecar': it has payment-service")
        let none = try refusal(TestExperiments.loss(mode: "fixed-percent\nvalue: '1'"))
        #expect(none?.reason.contains("raise its value") == true)
    }

    /// Chaos Mesh answers "pod not running" for one that is about to start, and waits for it.
    @Test func onlyWhatIsDoneToPodsIsDoneToOneThatDoesNotRunYet() throws {
        var some = pods("payment-a", "payment-b", "inventory-a")
        some[1].phase = "Pending"
        #expect(try PodChoice(TestExperiments.delay(), from: some, seed: 1).pods.map(\.name) == ["payment-a"])
        #expect(try PodChoice(TestExperiments.stress(), from: some, seed: 1).pods.map(\.name) == ["payment-a"])
        let kill = try TestExperiments.kill()
        #expect(try PodChoice(kill, from: some, seed: nil).pods.map(\.name) == ["payment-a", "payment-b"])
    }

    @Test func theOtherSelectorsAreWorkedOutToo() throws {
        var some = pods("payment-a", "payment-b")
        some[1].annotations = ["color": "blue"]
        some[1].node = "two"
        func chosen(_ selector: String) throws -> [String] {
            let experiment = try TestExperiments.delay(selector: "selector:\n  \(selector)")
            return try PodChoice(experiment, from: some, seed: 1).pods.map(\.name)
        }
        #expect(try chosen("annotationSelectors: {color: blue}") == ["payment-b"])
        #expect(try chosen("nodes: [two]") == ["payment-b"])
        #expect(try chosen("fieldSelectors: {metadata.name: payment-a}") == ["payment-a"])
        #expect(try chosen("pods: {payment-chaos: [payment-b]}") == ["payment-b"])
    }

    @Test func placesAreThoseOfTheLab() throws {
        let choice = try PodChoice(TestExperiments.loss(), from: all, seed: 1)
        let places = FaultPlaces(outside: "client")
        let experiment = try TestExperiments.loss()
        #expect(
            places.places(of: experiment.spec, choice, all: all)
                == Set(
                    ["a", "b", "c"].flatMap { from in
                        ["a", "b"].map { .path(from: "payment-\(from)", to: "inventory-\($0)") }
                    }))
        let everyone = try TestExperiments.delay()
        let paths = places.places(of: everyone.spec, try PodChoice(everyone, from: all, seed: 1), all: all)
        #expect(paths.contains(.path(from: "payment-a", to: "client")))
        #expect(paths.contains(.path(from: "payment-a", to: "payment-b")))
        #expect(paths.count == 3 * 5)
        let stress = try TestExperiments.stress()
        #expect(
            places.places(of: stress.spec, try PodChoice(stress, from: all, seed: 1), all: all)
                == [.replica("payment-a"), .replica("payment-b"), .replica("payment-c")])
    }
}
