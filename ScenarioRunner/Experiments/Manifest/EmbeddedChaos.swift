/// A chaos that a schedule or a workflow holds: the `networkChaos` of a manifest with `type: NetworkChaos`.
public struct EmbeddedChaos: Sendable, Equatable {
    /// `NetworkChaos`.
    public let kind: String
    /// One of the kinds of chaos, never a schedule or a workflow.
    public let spec: Experiment.Spec

    /// The kinds that can be embedded, and the field of each.
    static let fields = [
        "AWSChaos": "awsChaos", "AzureChaos": "azureChaos", "BlockChaos": "blockChaos", "DNSChaos": "dnsChaos",
        "GCPChaos": "gcpChaos", "HTTPChaos": "httpChaos", "IOChaos": "ioChaos", "JVMChaos": "jvmChaos",
        "KernelChaos": "kernelChaos", "NetworkChaos": "networkChaos",
        "PhysicalMachineChaos": "physicalmachineChaos", "PodChaos": "podChaos", "StressChaos": "stressChaos",
        "TimeChaos": "timeChaos",
    ]

    /// Where it stands in the schedule or the template that holds it: `networkChaos`.
    public var field: String { Self.fields[kind] ?? kind }

    /// - Parameter holder: the schedule or the template.
    init(_ holder: ManifestFields, kind: String, namespace: String) throws(Refusal) {
        self.kind = kind
        let field = Self.fields[kind] ?? kind
        let chaos = try holder.require(field, holder.object(field))
        spec = try Experiment.Spec(chaos: chaos, kind: kind, namespace: namespace)
    }
}

extension Experiment.Spec {
    /// A chaos of any kind, alone or embedded.
    init(chaos fields: ManifestFields, kind: String, namespace: String) throws(Refusal) {
        switch kind {
        case "NetworkChaos": self = .network(try NetworkChaosSpec(fields, namespace: namespace))
        case "StressChaos": self = .stress(try StressChaosSpec(fields, namespace: namespace))
        case "PodChaos": self = .pod(try PodChaosSpec(fields, namespace: namespace))
        case "HTTPChaos": self = .http(try HTTPChaosSpec(fields, namespace: namespace))
        case "IOChaos": self = .io(try IOChaosSpec(fields, namespace: namespace))
        default: self = .other(fields.tree)
        }
    }
}

extension Experiment {
    /// The chaos, or the schedule, at `path` of this schedule or workflow, as an experiment of its own for an engine.
    ///
    /// - Parameters:
    ///   - path: below this experiment's spec: `networkChaos`, `templates[1].schedule`. Refusals point there.
    ///   - name: of the new experiment, such as `gradual-packet-loss.loss-20-percent`.
    public func part(_ spec: Spec, kind: String, at path: String, named name: String) -> Experiment {
        Experiment(
            name: name, kind: kind, file: file, line: line, namespace: namespace, labels: labels,
            annotations: [:], hypothesis: nil, stopConditions: [], spec: spec, specPath: "\(specPath).\(path)",
            lines: lines)
    }
}
