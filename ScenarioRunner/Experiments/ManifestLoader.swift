import Yams

/// Reads Chaos Mesh manifests. A document is understood in full or refused with the line of the first thing wrong in
/// it; nothing is ignored, and one refused document hides no other.
///
/// ```
///   text --Yams--> nodes with lines --ManifestFields--> NetworkChaosSpec | StressChaosSpec | ...
///                                          |
///                                       Refusal(file, line, field, reason)
/// ```
///
/// The fields are those of Chaos Mesh 2.8.3's custom resource definitions; the rules between fields are those of its
/// admission webhooks.
public struct ManifestLoader {
    /// What one file holds.
    public struct Contents: Sendable, Equatable {
        public var experiments: [Experiment] = []
        public var problems: [Refusal] = []
    }

    static let apiVersion = "chaos-mesh.org/v1alpha1"
    /// A larger document is refused: a manifest has some hundred values.
    private static let maximumNodes = 20_000

    /// Everything of Chaos Mesh that can be applied to start something.
    static let kinds = [
        "AWSChaos", "AzureChaos", "BlockChaos", "DNSChaos", "GCPChaos", "HTTPChaos", "IOChaos", "JVMChaos",
        "KernelChaos", "NetworkChaos", "PhysicalMachineChaos", "PodChaos", "Schedule", "StatusCheck", "StressChaos",
        "TimeChaos", "Workflow",
    ]

    /// - Parameters:
    ///   - text: one YAML file, of any number of documents.
    ///   - file: its path, for refusals and cards.
    public static func load(_ text: String, file: String) -> Contents {
        var contents = Contents()
        do {
            let parser = try Parser(yaml: text)
            while let document = try parser.nextRoot() {
                if isEmpty(document) { continue }
                do throws(Refusal) {
                    contents.experiments.append(try experiment(document, file: file))
                } catch {
                    contents.problems.append(error)
                }
            }
        } catch {
            contents.problems.append(refusal(of: error, file: file))
        }
        return contents
    }

    /// The one document of a file that is no manifest, such as a suite.
    package static func document(_ text: String, file: String) throws(Refusal) -> ManifestFields {
        let documents: [Node]
        do {
            let parser = try Parser(yaml: text)
            var found: [Node] = []
            while let document = try parser.nextRoot() { if !isEmpty(document) { found.append(document) } }
            documents = found
        } catch {
            throw refusal(of: error, file: file)
        }
        guard let document = documents.first, documents.count == 1 else {
            throw Refusal(file: file, line: 1, field: "", reason: "must hold one YAML document, not \(documents.count)")
        }
        guard !isTooLarge(document) else { throw tooLarge(document, file: file) }
        return try ManifestFields(document, path: "", file: file)
    }

    private static func tooLarge(_ document: Node, file: String) -> Refusal {
        Refusal(
            file: file, line: document.mark?.line ?? 1, field: "", reason: "has more than \(maximumNodes) values")
    }

    private static func isEmpty(_ document: Node) -> Bool {
        document.scalar?.string.isEmpty ?? false
    }

    /// Aliases of aliases make a tree of billions of nodes out of a few lines.
    private static func isTooLarge(_ document: Node) -> Bool {
        var rest = [document]
        var count = 0
        while let node = rest.popLast() {
            count += 1
            if count > maximumNodes { return true }
            switch node {
            case .mapping(let mapping): for (_, value) in mapping { rest.append(value) }
            case .sequence(let sequence): rest.append(contentsOf: sequence)
            case .scalar, .alias: break
            }
        }
        return false
    }

    private static func experiment(_ document: Node, file: String) throws(Refusal) -> Experiment {
        guard !isTooLarge(document) else { throw tooLarge(document, file: file) }
        let fields = try ManifestFields(document, path: "", file: file)
        let version = try fields.require("apiVersion", fields.string("apiVersion"))
        let kind = try fields.require("kind", fields.string("kind"))
        let isConfigMap = kind == FailureModesSpec.manifestKind
        guard isConfigMap || kinds.contains(kind) else {
            throw fields.refusal(
                "kind", "'\(kind)' is not a kind of Chaos Mesh; known: \(kinds.joined(separator: ", "))")
        }
        let wanted = isConfigMap ? FailureModesSpec.manifestVersion : apiVersion
        guard version == wanted else { throw fields.refusal("apiVersion", "must be \(wanted)") }
        try fields.allow(["apiVersion", "kind", "metadata", isConfigMap ? "data" : "spec"])

        let metadata = try ManifestMetadata(fields)
        let spec: Experiment.Spec
        if isConfigMap {
            try metadata.requireLabel(FailureModesSpec.kindLabel, FailureModesSpec.kindValue)
            spec = .failureModes(try FailureModesSpec(fields.require("data", fields.object("data"))))
        } else {
            spec = try self.spec(
                fields.require("spec", fields.object("spec")), kind: kind, namespace: metadata.namespace)
        }
        let lines = lines(of: document)
        return Experiment(
            name: metadata.name, kind: isConfigMap ? FailureModesSpec.kind : kind, file: file,
            line: lines["metadata.name"] ?? 1, namespace: metadata.namespace, labels: metadata.labels,
            annotations: metadata.annotations, hypothesis: metadata.hypothesis,
            stopConditions: metadata.stopConditions, resilience: metadata.resilience, rate: metadata.rate, spec: spec,
            specPath: isConfigMap ? "data" : "spec", lines: lines)
    }

    private static func spec(
        _ fields: ManifestFields, kind: String, namespace: String
    ) throws(Refusal) -> Experiment.Spec {
        switch kind {
        case "Schedule": .schedule(try ScheduleSpec(fields, namespace: namespace))
        case "Workflow": .workflow(try WorkflowSpec(fields, namespace: namespace))
        case "StatusCheck": .statusCheck(try StatusCheckSpec(fields))
        default: try Experiment.Spec(chaos: fields, kind: kind, namespace: namespace)
        }
    }

    /// RFC 1123, which Kubernetes demands of names.
    static func isDNSName(_ name: String) -> Bool {
        let labels = name.split(separator: ".", omittingEmptySubsequences: false)
        return name.utf8.count <= 253
            && labels.allSatisfy { label in
                !label.isEmpty && !label.hasPrefix("-") && !label.hasSuffix("-")
                    && label.allSatisfy { $0.isASCII && ($0.isLowercase || $0.isNumber || $0 == "-") }
            }
    }

    /// The line of every field and of every element of a list, by its path.
    private static func lines(of node: Node, at path: String = "") -> [String: Int] {
        var lines: [String: Int] = [:]
        switch node {
        case .mapping(let mapping):
            for (key, value) in mapping {
                guard let name = key.string, let mark = key.mark else { continue }
                let place = path.isEmpty ? name : "\(path).\(name)"
                lines[place] = mark.line
                lines.merge(self.lines(of: value, at: place)) { first, _ in first }
            }
        case .sequence(let sequence):
            for (index, value) in sequence.enumerated() {
                let place = "\(path)[\(index)]"
                lines[place] = value.mark?.line
                lines.merge(self.lines(of: value, at: place)) { first, _ in first }
            }
        case .scalar, .alias: break
        }
        return lines
    }

    /// A file that is not YAML at all.
    private static func refusal(of error: any Error, file: String) -> Refusal {
        switch error as? YamlError {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            Refusal(file: file, line: mark.line, field: "", reason: "not valid YAML: \(problem)")
        case .duplicatedKeysInMapping(let keys, let context):
            Refusal(
                file: file, line: context.mark.line, field: keys.joined(separator: ", "), reason: "stands here twice")
        default:
            Refusal(file: file, line: 1, field: "", reason: "not valid YAML: \(error)")
        }
    }
}
