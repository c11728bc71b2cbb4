import Experiments
import Foundation
import Testing
import Yams

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
        #expect(
            catalogue.experiments.map { "\($0.kind)/\($0.name)" } == [
                "NetworkChaos/packet-loss-80-percent", "NetworkChaos/packet-loss-95-percent",
                "NetworkChaos/packet-loss-with-delay", "NetworkChaos/delay-combined-with-loss",
                "Schedule/scheduled-packet-loss", "Workflow/gradual-packet-loss", "StressChaos/cpu-stress-payment",
                "StressChaos/cpu-stress-100-percent", "StressChaos/memory-stress-inventory",
                "StressChaos/combined-stress-payment", "Schedule/scheduled-cpu-stress",
                "Workflow/gradual-stress-increase",
            ])
        for experiment in catalogue.experiments {
            #expect(!experiment.description.isEmpty, "\(experiment.name)")
            #expect(experiment.namespace == "payment-chaos")
        }
        #expect(
            catalogue.experiments.filter { LabSupport.refusal(of: $0) == nil }.map(\.name) == [
                "packet-loss-80-percent", "packet-loss-95-percent", "packet-loss-with-delay",
                "delay-combined-with-loss",
                "cpu-stress-payment", "cpu-stress-100-percent", "memory-stress-inventory", "combined-stress-payment",
            ])
    }

    /// Schedules and workflows are only listed, so what they hold is checked here as if it stood alone.
    @Test func whatTheShippedSchedulesAndWorkflowsHoldIsValid() throws {
        var embedded = 0
        for file in ["02-packet-loss-80-percent.yaml", "05-stress-chaos.yaml"] {
            let text = try String(contentsOfFile: "\(Self.shipped)/\(file)", encoding: .utf8)
            for document in try Yams.compose_all(yaml: text) {
                let spec = try #require(document["spec"])
                for holder in [spec] + (spec["templates"]?.array() ?? []) {
                    for kind in ["NetworkChaos", "StressChaos"] {
                        guard let chaos = holder[kind.prefix(1).lowercased() + kind.dropFirst()] else { continue }
                        let alone: Node = [
                            "apiVersion": "chaos-mesh.org/v1alpha1", "kind": Node(kind), "metadata": ["name": "x"],
                            "spec": chaos,
                        ]
                        let contents = ManifestLoader.load(try Yams.serialize(node: alone), file: file)
                        #expect(contents.problems == [])
                        embedded += 1
                    }
                }
            }
        }
        #expect(embedded == 8)
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
