import Experiments
import Foundation
import Testing

@Suite struct CatalogueTests {
    /// The folder that the project ships.
    private static let shipped = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "chaos-experiments").path

    private func withFolder(_ files: [String: String], _ body: (String) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "catalogue-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        for (name, text) in files { try Data(text.utf8).write(to: folder.appending(path: name)) }
        try body(folder.path)
    }

    @Test func theShippedExperimentsLoad() {
        let catalogue = Catalogue.load(folder: Self.shipped)
        #expect(catalogue.problems == [])
        #expect(catalogue.experiments.map { "\($0.kind)/\($0.name)" } == Self.names)
        for experiment in catalogue.experiments {
            #expect(!experiment.description.isEmpty, "\(experiment.name)")
            #expect(experiment.hypothesis?.clauses.contains(.money(isRight: true)) == true, "\(experiment.name)")
            #expect(experiment.stopConditions.contains(.moneyIsWrong), "\(experiment.name)")
            #expect(experiment.namespace == "payment-chaos")
            #expect(!experiment.effectiveDoseText.isEmpty && !experiment.targetText.isEmpty, "\(experiment.name)")
        }
    }

    /// In the order of the files.
    private static let names = [
        "PodChaos/pod-kill-payment", "PodChaos/pod-failure-inventory", "PodChaos/container-kill-payment",
        "NetworkChaos/packet-loss-80-percent", "NetworkChaos/packet-loss-95-percent",
        "NetworkChaos/packet-loss-with-delay", "NetworkChaos/delay-combined-with-loss",
        "Schedule/scheduled-packet-loss", "Workflow/gradual-packet-loss",
        "NetworkChaos/packet-loss-80-percent-correlated", "NetworkChaos/packet-loss-95-percent-correlated",
        "NetworkChaos/packet-loss-50-percent-correlated", "Schedule/scheduled-packet-loss-correlated",
        "Workflow/gradual-packet-loss-correlated", "NetworkChaos/partition-payment-notification",
        "NetworkChaos/slow-network", "NetworkChaos/bandwidth-1-mbit", "NetworkChaos/duplicate-packets",
        "NetworkChaos/corrupt-packets", "StressChaos/cpu-stress-payment", "StressChaos/cpu-stress-100-percent",
        "StressChaos/memory-stress-inventory", "StressChaos/combined-stress-payment",
        "Schedule/scheduled-cpu-stress", "Workflow/gradual-stress-increase", "StressChaos/io-stress-payment",
        "IOChaos/io-latency-inventory", "FailureModes/gateway-brown-out", "Workflow/game-day",
        "Schedule/scheduled-pod-kill", "PodChaos/retry-storm", "PodChaos/retry-storm-with-budget",
    ]

    /// What the lab has always run, it runs; and only the fault of a file system is for clusters.
    @Test func theLabRunsWhatItCan() {
        let experiments = Catalogue.load(folder: Self.shipped).experiments
        let runs = experiments.filter { LabSupport.refusal(of: $0) == nil }.map(\.name)
        for name in [
            "packet-loss-80-percent", "packet-loss-95-percent", "packet-loss-with-delay", "cpu-stress-payment",
            "cpu-stress-100-percent", "memory-stress-inventory", "combined-stress-payment",
        ] { #expect(runs.contains(name)) }
        #expect(experiments.filter { LabSupport.refusal(of: $0) != nil }.map(\.name) == ["io-latency-inventory"])
    }

    /// The losses of the demo are there as they were; all that came to them is the name of the target's Service.
    @Test func theCorrelatedLossesAreWhatTheDemoHad() throws {
        let demo = FixtureTests.contents("replaced-systems/chaosmesh-demo-02-packet-loss.yaml").experiments
        let file = "\(Self.shipped)/03-correlated-packet-loss.yaml"
        let lines = try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n")
        let text = lines.filter { !$0.contains("externalTargets: [\"inventory-service.") }.joined(separator: "\n")
        let own = ManifestLoader.load(text, file: file).experiments
        let pairs = [
            ("packet-loss-80-percent", "packet-loss-80-percent-correlated"),
            ("packet-loss-95-percent", "packet-loss-95-percent-correlated"),
            ("packet-loss-with-delay", "packet-loss-50-percent-correlated"),
            ("scheduled-packet-loss", "scheduled-packet-loss-correlated"),
            ("gradual-packet-loss", "gradual-packet-loss-correlated"),
        ]
        for (old, new) in pairs {
            let replaced = try #require(demo.first { $0.name == old })
            let correlated = try #require(own.first { $0.name == new })
            #expect(correlated.spec == replaced.spec, "\(new)")
        }
    }

    @Test func oneBadFileHidesNoOther() throws {
        let files = [
            "1.yaml": "a: [", "2.yml": Samples.stress, "3.txt": "a: [", "4.yaml": Samples.network,
            "5.yaml": Samples.stress,
        ]
        try withFolder(files) { folder in
            let catalogue = Catalogue.load(folder: folder)
            #expect(catalogue.experiments.map(\.name) == ["stress", "everything"])
            #expect(catalogue.problems.map(\.file) == ["\(folder)/1.yaml", "\(folder)/5.yaml"])
            #expect(catalogue.problems.last?.reason.contains("\(folder)/2.yml:3") == true)
            #expect(catalogue.experiment(named: "everything")?.kind == "NetworkChaos")
            #expect(catalogue.experiment(named: "nothing") == nil)
        }
    }

    @Test func whatCannotBeReadIsAProblem() throws {
        #expect(Catalogue.load(folder: "/nonexistent/folder").problems.count == 1)
        let large = String(repeating: "#", count: 300_000)
        try withFolder(["large.yaml": large]) { folder in
            #expect(Catalogue.load(folder: folder).problems.map(\.reason) == ["is larger than 256 KiB"])
        }
    }
}
