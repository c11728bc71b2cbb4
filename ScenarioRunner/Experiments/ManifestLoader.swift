import Yams

/// Reads Chaos Mesh manifests. A document is understood in full or refused with the line of the first thing wrong in
/// it; nothing is ignored, and one refused document hides no other.
///
/// ```
///   text --Yams--> nodes with lines --ManifestFields--> NetworkChaosSpec | StressChaosSpec | other
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

    private static func isEmpty(_ document: Node) -> Bool {
        document.scalar?.string.isEmpty ?? false
    }

    private static func experiment(_ document: Node, file: String) throws(Refusal) -> Experiment {
        let fields = try ManifestFields(document, path: "", file: file)
        guard try fields.require("apiVersion", fields.string("apiVersion")) == apiVersion else {
            throw fields.refusal("apiVersion", "must be \(apiVersion)")
        }
        let kind = try fields.require("kind", fields.string("kind"))
        guard kinds.contains(kind) else {
            throw fields.refusal(
                "kind", "'\(kind)' is not a kind of Chaos Mesh; known: \(kinds.joined(separator: ", "))")
        }
        try fields.allow(["apiVersion", "kind", "metadata", "spec"])

        let metadata = try fields.require("metadata", fields.object("metadata"))
        try metadata.allow(["name", "namespace", "labels", "annotations"])
        let name = try metadata.require("name", metadata.string("name"))
        guard isDNSName(name) else {
            throw metadata.refusal(
                "name", "'\(name)' is no Kubernetes name: lower-case letters, digits, '-' and '.', at most 253")
        }
        let namespace = try metadata.string("namespace") ?? "default"
        let spec = try fields.require("spec", fields.object("spec"))
        let lines = lines(of: document)
        return Experiment(
            name: name, kind: kind, file: file, line: lines["metadata.name"] ?? 1, namespace: namespace,
            labels: try metadata.stringMap("labels"), annotations: try metadata.stringMap("annotations"),
            spec: try self.spec(spec, kind: kind, namespace: namespace), lines: lines)
    }

    private static func spec(
        _ fields: ManifestFields, kind: String, namespace: String
    ) throws(Refusal) -> Experiment.Spec {
        switch kind {
        case "NetworkChaos": .network(try NetworkChaosSpec(fields, namespace: namespace))
        case "StressChaos": .stress(try StressChaosSpec(fields, namespace: namespace))
        case "PodChaos": .pod(try PodChaosSpec(fields, namespace: namespace))
        default: .other
        }
    }

    /// RFC 1123, which Kubernetes demands of names.
    private static func isDNSName(_ name: String) -> Bool {
        let labels = name.split(separator: ".", omittingEmptySubsequences: false)
        return name.utf8.count <= 253
            && labels.allSatisfy { label in
                !label.isEmpty && !label.hasPrefix("-") && !label.hasSuffix("-")
                    && label.allSatisfy { $0.isASCII && ($0.isLowercase || $0.isNumber || $0 == "-") }
            }
    }

    /// The line of every field, by its path; lists count as one field.
    private static func lines(of node: Node, at path: String = "") -> [String: Int] {
        guard case .mapping(let mapping) = node else { return [:] }
        var lines: [String: Int] = [:]
        for (key, value) in mapping {
            guard let name = key.string, let mark = key.mark else { continue }
            let place = path.isEmpty ? name : "\(path).\(name)"
            lines[place] = mark.line
            lines.merge(self.lines(of: value, at: place)) { first, _ in first }
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
