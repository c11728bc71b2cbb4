import Experiments
import Foundation
import TestSupport
import Testing

@testable import ScenarioRunner

/// What whoever starts the runner is told of files that do not load.
@Suite struct CatalogueProblemsTests {
    @Test func theWarningIsOneLineWithTheFirstPlace() async throws {
        try await withTemporaryFolder { folder in
            #expect(CatalogueProblems.warning(.load(folder: folder.path), folder: folder.path) == nil)
            let manifest = """
                apiVersion: chaos-mesh.org/v1alpha1
                kind: NetworkChaos
                metadata: {name: a}
                spec: {action: lose, mode: all, selector: {}}
                """
            try manifest.write(to: folder.appendingPathComponent("1.yaml"), atomically: true, encoding: .utf8)
            let one = try #require(CatalogueProblems.warning(.load(folder: folder.path), folder: "f"))
            #expect(
                one.hasPrefix("1 problem in the experiments of f; the first: \(folder.path)/1.yaml:4: spec.action: "))
            try "a: [".write(to: folder.appendingPathComponent("2.yaml"), atomically: true, encoding: .utf8)
            let two = try #require(CatalogueProblems.warning(.load(folder: folder.path), folder: "f"))
            #expect(two.hasPrefix("2 problems in") && two.contains("1.yaml:4") && !two.contains("\n"))
        }
    }
}
