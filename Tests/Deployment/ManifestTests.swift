import Foundation
import Subprocess
import SystemPackage
import Testing

@testable import Experiments

/// What is put into a cluster, held against Kubernetes' schemas, the sources, and itself.
@Suite struct ManifestTests {
    /// A way to install the system.
    struct Way: Sendable, CustomTestStringConvertible {
        let path: String

        var testDescription: String { path }

        func installation() throws -> Installation {
            Installation(
                documents: path.hasSuffix(".yaml") ? try Repository.documents(path) : try Kustomize.render(path))
        }
    }

    static let ways = ["k8s/deployment.yaml", "k8s/base", "k8s/overlays/minikube", "k8s/overlays/production"]
        .map(Way.init)

    @Test(arguments: ways, Rule.all)
    func holds(way: Way, rule: Rule) throws {
        #expect(try rule.problems(way.installation()) == [])
    }

    /// One home: what stands in `k8s/base` is `k8s/deployment.yaml`, letter by letter.
    @Test func theSingleFileIsTheBase() throws {
        let files = try Repository.documents("k8s/base/kustomization.yaml")[0].texts("resources")
        let base = try files.map { try Repository.text("k8s/base/\($0)") }.joined(separator: "---\n")
        let single = try Repository.text("k8s/deployment.yaml")
        #expect(single.hasSuffix("---\n" + base), "run: make manifests")
    }

    @Test func replicas() throws {
        let installation = try Way(path: "k8s/deployment.yaml").installation()
        let replicas = Dictionary(
            uniqueKeysWithValues: installation.workloads.map { ($0.name, installation.leastReplicas($0)) })
        #expect(
            replicas == ["payment-service": 3, "inventory-service": 2, "notification-service": 2, "scenario-runner": 1])
        let ports = installation.all("Service").map {
            "\($0.name) \($0.items("spec.ports").map { $0.text("port") ?? "" })"
        }
        #expect(
            Set(ports) == [
                #"payment-service ["5002"]"#, #"inventory-service ["5003"]"#, #"notification-service ["5004"]"#,
                #"scenario-runner ["8000"]"#,
            ])
    }

    /// Every YAML file of the folder is part of a way to install.
    @Test func noFileIsForgotten() throws {
        let files = try Repository.files(below: "k8s", ending: ".yaml")
        let named = try files.filter { $0.hasSuffix("kustomization.yaml") }.flatMap { file -> [String] in
            let settings = try Repository.documents(file)[0]
            let schema = try Schema.tools.get()
            #expect(schema.problems(settings) == [])
            let folder = String(file.dropLast("/kustomization.yaml".count))
            return (settings.texts("resources") + settings.items("patches").compactMap { $0.text("path") })
                .map { Kustomize.join(folder, $0) } + [file]
        }
        #expect(Set(files).subtracting(named) == ["k8s/deployment.yaml"])
    }

    static let kubectl = ["/usr/local/bin", "/usr/bin", "/bin"].map { "\($0)/kubectl" }
        .first { FileManager.default.isExecutableFile(atPath: $0) }

    /// The renderer of these tests does what the real one does.
    @Test(.enabled(if: kubectl != nil, "there is no kubectl here"), arguments: ways.dropFirst())
    func kustomizeAgrees(way: Way) async throws {
        let path = Repository.root.appending(path: way.path).path
        let result = try await Subprocess.run(
            .path(FilePath(try #require(Self.kubectl))), arguments: ["kustomize", path],
            output: .string(limit: 1 << 20), error: .string(limit: 1 << 16))
        try #require(result.terminationStatus.isSuccess, "\(result.standardError)")
        let real = try ManifestTree.documents(result.standardOutput)
        let ours = try Kustomize.render(way.path)
        #expect(Set(real.map(\.title)) == Set(ours.map(\.title)))
        for document in ours {
            let other = try #require(real.first { $0.title == document.title })
            #expect(document.sortedByName == other.sortedByName, "\(document.title)")
        }
    }
}

extension ManifestTree {
    /// The same in one order: kustomize sorts fields, and puts what a patch adds to a list first.
    fileprivate var sortedByName: ManifestTree {
        switch self {
        case .text, .plain: self
        case .list(let items):
            .list(items.map(\.sortedByName).sorted { "\($0)" < "\($1)" })
        case .fields(let fields):
            .fields(fields.map { .init($0.name, $0.value.sortedByName) }.sorted { $0.name < $1.name })
        }
    }
}
