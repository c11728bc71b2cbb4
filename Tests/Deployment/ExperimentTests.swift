import Testing

@testable import Experiments

/// The experiments against the CRDs of Chaos Mesh, and against the pods that are there to be hit.
@Suite struct ExperimentTests {
    /// Written for Chaos Mesh 1, before there were Schedules.
    static let outdated = "pod-kill-scheduler.yaml"

    static let documents = Result {
        try
            (Repository.files(below: "chaos-experiments", ending: ".yaml")
            + Repository.files(below: "Tests/Fixtures/chaos-mesh", ending: ".yaml")).flatMap { file in
                try Repository.documents(file).map { (file: file, tree: $0) }
            }
    }

    @Test func everyFieldIsOneOfChaosMesh() throws {
        let schema = try Schema.chaosMesh.get()
        let documents = try Self.documents.get()
        #expect(documents.count > 40)
        for (file, tree) in documents where !file.hasSuffix(Self.outdated) {
            #expect(schema.problems(tree) == [], "\(file)")
        }
        let old = documents.filter { $0.file.hasSuffix(Self.outdated) }.flatMap { schema.problems($0.tree) }
        #expect(old.contains { $0.hasSuffix("spec.scheduler: no such field") }, "\(old)")
    }

    /// In the namespace of the system, and nowhere else; each label is one of a pod there.
    @Test func everySelectorOfTheCatalogueHitsAPod() throws {
        let workloads = Installation(documents: try Repository.documents("k8s/deployment.yaml")).workloads
        var count = 0
        for (file, tree) in try Self.documents.get() where file.hasPrefix("chaos-experiments/") {
            #expect(tree.text("metadata.namespace") ?? Installation.namespace == Installation.namespace, "\(file)")
            for selector in tree.selectors {
                #expect(selector.texts("namespaces") == [Installation.namespace], "\(file) \(tree.title)")
                #expect(workloads.contains { $0.has(selector.map("labelSelectors")) }, "\(file) \(tree.title)")
                count += 1
            }
        }
        #expect(count > 40)
    }

    /// Packets to a Service bear no pod's address where Chaos Mesh looks at them, so whoever applies a file by hand needs
    /// the Service's name in it. It may stand with `direction: to` alone, and a partition does without.
    @Test func faultsTowardsAServiceNameIt() throws {
        let services = try Repository.documents("k8s/deployment.yaml").filter { $0.kind == "Service" }
        var count = 0
        for (file, tree) in try Self.documents.get() where file.hasPrefix("chaos-experiments/") {
            for fault in tree.faultsOneWay where fault.text("action") != "partition" {
                let app = fault.map("target.selector.labelSelectors")["app"]
                let service = try #require(services.first { $0.map("spec.selector")["app"] == app }, "\(file)")
                let ports = service.items("spec.ports").compactMap { $0.text("port") }
                #expect(
                    fault.texts("externalTargets")
                        == ports.map { "\(service.name).\(Installation.namespace).svc:\($0)" }, "\(file)")
                count += 1
            }
        }
        #expect(count > 10)
    }

    /// A Schedule and a template bring the spec of what they start, and nothing that they do not.
    @Test func whatStartsOthersHasTheirSpec() throws {
        for (file, tree) in try Self.documents.get() {
            let starters =
                tree.kind == "Schedule"
                ? [(tree.text("spec.type"), tree.at("spec"))]
                : tree.items("spec.templates").map { ($0.text("templateType"), $0) }
            for (type, spec) in starters where type?.hasSuffix("Chaos") == true {
                let name = type.map {
                    $0.hasPrefix("HTTP") || $0.hasPrefix("IO") ? $0 : $0.prefix(1).lowercased() + $0.dropFirst()
                }
                let field = ["HTTPChaos": "httpChaos", "IOChaos": "ioChaos"][type ?? ""] ?? name ?? ""
                #expect(spec?[field] != nil, "\(file): \(type ?? "") without \(field)")
            }
        }
    }

    @Test(arguments: [
        ("mode: all", "mod: all", "mod: no such field"), ("loss: \"80\"", "loss: 80", "80 is no string"),
        ("action: loss", "action: lose", "is none of"),
        ("      selector:\n", "      selectors:\n", "selector: is missing"),
        ("direction: to", "direction: there", "is none of to, from, both"),
    ])
    func aMistakeIsFound(text: String, wrong: String, said: String) throws {
        let source = try Repository.text("chaos-experiments/02-packet-loss-80-percent.yaml")
        let broken = source.replacing(text, with: wrong)
        #expect(broken != source)
        let schema = try Schema.chaosMesh.get()
        let problems = try ManifestTree.documents(broken).flatMap(schema.problems)
        #expect(problems.contains { $0.contains(said) }, "\(problems)")
    }
}

extension ManifestTree {
    /// Every network fault with `direction: to` and a target below this tree.
    fileprivate var faultsOneWay: [ManifestTree] {
        switch self {
        case .text, .plain: []
        case .list(let items): items.flatMap(\.faultsOneWay)
        case .fields(let fields):
            self.text("direction") == "to" && self["target"] != nil
                ? [self] : fields.flatMap(\.value.faultsOneWay)
        }
    }

    /// Every selector of pods below this tree.
    fileprivate var selectors: [ManifestTree] {
        switch self {
        case .text, .plain: []
        case .list(let items): items.flatMap(\.selectors)
        case .fields(let fields): fields.flatMap { $0.name == "selector" ? [$0.value] : $0.value.selectors }
        }
    }
}
