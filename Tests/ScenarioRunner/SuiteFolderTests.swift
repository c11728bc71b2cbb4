import Experiments
import Foundation
import TestSupport
import Testing

@testable import ScenarioRunner

/// A folder of manifests as a suite, against a runner with a folder of its own.
@Suite struct SuiteFolderTests {
    private static func loss(_ name: String, _ percent: Int) -> String {
        """
        apiVersion: chaos-mesh.org/v1alpha1
        kind: NetworkChaos
        metadata:
          name: \(name)
          annotations: {payment-chaos.io/description: About \(name)}
        spec:
          mode: all
          selector: {}
          action: loss
          loss: {loss: "\(percent)"}
          duration: 5m

        """
    }

    private func check(_ manifest: String) async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("suite-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try Data(manifest.utf8).write(to: folder.appendingPathComponent("mine.yaml"))
        try await RunnerLab.serve { _, server in
            let address = RunnerAddress(elsewhere: "http://127.0.0.1:\(server.port)")
            try await SuiteFolder(path: folder.path).requireSame(at: address)
        }
    }

    @Test func theSameExperimentsElsewhereAreTheSame() async throws {
        try await check(
            "# A comment, and another file.\n" + Self.loss("loss-a", 80) + "---\n" + Self.loss("loss-b", 80))
    }

    @Test func anEditedCopyIsRefused() async throws {
        let refusal = await #expect(throws: RefusedRequest.self) {
            try await check(Self.loss("loss-a", 80) + "---\n" + Self.loss("loss-b", 79))
        }
        #expect(refusal?.description.contains("where loss-b is not the same or missing") == true)
    }

    @Test func whatTheRunnerHasNotIsRefused() async throws {
        let refusal = await #expect(throws: RefusedRequest.self) {
            try await check(Self.loss("mine", 80) + "---\n" + Self.loss("other", 80))
        }
        #expect(refusal?.description.contains("where mine, other are not the same or missing") == true)
    }

    /// The way of a manifest through YAML, JSON and back ends where it began.
    @Test func everyExperimentOfTheProjectIsLikeItself() throws {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "chaos-experiments").path
        let experiments = Catalogue.load(folder: folder).experiments
        let documents = try JSONDecoder().decode(
            [ExperimentDocument].self,
            from: JSONEncoder().encode(
                Catalogue.load(folder: folder).experiments.map { ExperimentDocument($0, refusal: nil) }))
        #expect(experiments.count > 10 && SuiteFolder.others(experiments, than: documents) == [])
        #expect(documents.allSatisfy { !$0.manifest.isEmpty })
    }
}
