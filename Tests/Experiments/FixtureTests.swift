import Experiments
import Foundation
import Testing

/// Manifests as the world writes them: the documented examples of Chaos Mesh's kinds, and those of the two systems that
/// this project replaces. Each is taken, or refused with a reason; what only a cluster can run says so.
@Suite struct FixtureTests {
    enum Expectation: Sendable, Equatable {
        /// The lab runs it, or will once its engines can.
        case loads
        /// It is for clusters: the field that no lab will honour.
        case clusterOnly(String)
        /// It is not valid: the field and a word of the reason.
        case refused(String, String)
    }

    static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Fixtures")

    static let official: [String: Expectation] = [
        "http-abort": .clusterOnly("spec"),
        "http-patch-response": .clusterOnly("spec"),
        "http-replace": .clusterOnly("spec"),
        "io-attr-override": .clusterOnly("spec"),
        "io-fault": .clusterOnly("spec"),
        "io-latency": .clusterOnly("spec"),
        "io-mistake": .clusterOnly("spec"),
        "network-bandwidth": .loads,
        "network-corrupt": .loads,
        "network-delay": .loads,
        "network-delay-external-targets": .loads,
        "network-delay-target": .clusterOnly("spec.device"),
        "network-duplicate": .loads,
        "network-loss": .loads,
        "network-netem": .loads,
        "network-partition": .loads,
        "network-partition-external-targets": .clusterOnly("spec.selector.annotationSelectors"),
        "pod-container-kill": .loads,
        "pod-failure": .loads,
        "pod-failure-remote-cluster": .clusterOnly("spec.remoteCluster"),
        "pod-kill": .loads,
        "pod-kill-scheduler": .refused("spec.scheduler", "unknown field"),
        "schedule-io-latency": .clusterOnly("spec.ioChaos"),
        "schedule-network-delay": .loads,
        "schedule-pod-kill": .loads,
        "schedule-workflow": .loads,
        "stress-cpu-options": .clusterOnly("spec.stressors.cpu.options"),
        "stress-memory": .loads,
        "stress-words": .clusterOnly("spec.stressngStressors"),
        "workflow-parallel": .loads,
        "workflow-serial": .clusterOnly("spec.templates[4].stressChaos.stressors.cpu.options"),
        "workflow-status-check": .loads,
        "workflow-task": .clusterOnly("spec.templates[0].conditionalBranches"),
    ]

    static func contents(_ path: String) -> ManifestLoader.Contents {
        Catalogue.load(file: folder.appending(path: path).path)
    }

    static func names(in path: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.appending(path: path).path).sorted()
    }

    @Test func everyExampleIsExpected() throws {
        #expect(try Self.names(in: "chaos-mesh") == Self.official.keys.map { "\($0).yaml" }.sorted())
        #expect(Self.official.count >= 25)
        let kinds = Set(Self.official.keys.flatMap { Self.contents("chaos-mesh/\($0).yaml").experiments.map(\.kind) })
        #expect(
            kinds == ["NetworkChaos", "StressChaos", "PodChaos", "HTTPChaos", "IOChaos", "Schedule", "Workflow"])
    }

    @Test(arguments: official.keys.sorted())
    func anExampleLoadsOrIsRefusedForItsReason(name: String) throws {
        let contents = Self.contents("chaos-mesh/\(name).yaml")
        switch try #require(Self.official[name]) {
        case .refused(let field, let word):
            #expect(contents.experiments.isEmpty && contents.problems.count == 1)
            #expect(contents.problems.first?.field == field)
            #expect(contents.problems.first?.reason.contains(word) == true)
        case .loads:
            #expect(contents.problems == [])
            let experiment = try #require(contents.experiments.first)
            #expect(LabSupport.refusal(of: experiment) == nil)
        case .clusterOnly(let field):
            #expect(contents.problems == [])
            let experiment = try #require(contents.experiments.first)
            let refusal = try #require(LabSupport.refusal(of: experiment))
            #expect(refusal.field == field, "\(refusal)")
            #expect(refusal.line > 1 && refusal.file.hasSuffix("\(name).yaml") && !refusal.reason.isEmpty)
        }
    }

    /// File to the names in it.
    static let replaced: [String: [String]] = [
        "chaosmesh-demo-02-packet-loss": [
            "packet-loss-80-percent", "packet-loss-95-percent", "packet-loss-with-delay", "delay-combined-with-loss",
            "scheduled-packet-loss", "gradual-packet-loss",
        ],
        "chaosmesh-demo-05-stress": [
            "cpu-stress-payment", "cpu-stress-100-percent", "memory-stress-inventory", "combined-stress-payment",
            "scheduled-cpu-stress", "gradual-stress-increase",
        ],
        "relibank-pod-chaos-adhoc": [
            "relibank-payment-flow", "relibank-database-connection", "relibank-messaging-service",
            "relibank-bill-pay-resilience-test", "relibank-scheduler-service-test",
        ],
        "relibank-pod-chaos-examples": [
            "relibank-payment-flow-pod-chaos", "relibank-database-connection-pod-chaos",
            "relibank-messaging-service-pod-chaos", "relibank-bill-pay-resilience-test",
            "relibank-scheduler-service-chaos",
        ],
        "relibank-stress-scenarios": stresses,
        "relibank-stress-scenarios-2026-01": stresses,
    ]
    private static let stresses = [
        "relibank-cpu-stress-test", "relibank-high-cpu-stress", "relibank-memory-stress-test",
        "relibank-high-memory-stress", "relibank-combined-stress-test",
    ]

    @Test func everyManifestOfTheReplacedSystemsLoads() throws {
        #expect(try Self.names(in: "replaced-systems") == Self.replaced.keys.map { "\($0).yaml" }.sorted())
        for (file, names) in Self.replaced {
            let contents = Self.contents("replaced-systems/\(file).yaml")
            #expect(contents.problems == [])
            #expect(contents.experiments.map(\.name) == names)
            for experiment in contents.experiments {
                #expect(LabSupport.refusal(of: experiment) == nil, "\(experiment.name)")
            }
        }
    }

    /// What the demo called 80 % was 97 %, and so on: its correlations, and the losses that came of them.
    @Test func theLossesOfTheDemoAreCalledWhatTheyAre() throws {
        let experiments = Self.contents("replaced-systems/chaosmesh-demo-02-packet-loss.yaml").experiments
        let texts = experiments.map(\.effectiveDoseText)
        #expect(texts[0] == "drops 97 % of packets (80 % with correlation 50) payment -> inventory")
        #expect(texts[1] == "drops 100 % of packets (95 % with correlation 75) payment <-> notification")
        #expect(texts[2] == "drops 50 % of packets (50 % with correlation 30) payment -> inventory")
        #expect(texts[4].hasSuffix(": drops 98.7 % of packets (80 % with correlation 60) payment -> inventory"))
    }
}
