/// Which replicas an experiment may touch. Every part that is given must match (Chaos Mesh: `PodSelectorSpec`).
public struct Selector: Sendable, Equatable {
    /// One of the replica's namespaces; the loader puts the experiment's own here when the manifest names none.
    public var namespaces: [String] = []
    public var labels: [String: String] = [:]
    public var expressions: [LabelExpression] = []
    public var annotations: [String: String] = [:]
    public var fields: [String: String] = [:]
    /// `Running`, or `!Failed` for every phase but that one.
    public var phases: [String] = []
    public var nodes: [String] = []
    public var nodeLabels: [String: String] = [:]
    /// Namespace to names. When given, Chaos Mesh takes exactly these and looks at no other part
    /// (`pkg/selector/pod/selector.go`, `SelectPods`).
    public var pods: [String: [String]] = [:]

    public init() {}

    /// Whether `replica` is selected.
    ///
    /// Annotations, fields and nodes are not among the facts of a replica: a selector that asks for them matches
    /// nothing here, and ``LabSupport`` refuses its experiment beforehand.
    public func matches(_ replica: ReplicaFacts) -> Bool {
        if !pods.isEmpty { return pods[replica.namespace]?.contains(replica.name) ?? false }
        guard annotations.isEmpty, fields.isEmpty, nodes.isEmpty, nodeLabels.isEmpty else { return false }
        return (namespaces.isEmpty || namespaces.contains(replica.namespace))
            && labels.allSatisfy { replica.labels[$0.key] == $0.value }
            && expressions.allSatisfy { $0.matches(replica.labels) }
            && matchesPhase(replica.phase)
    }

    /// In one of the phases asked for, when there are any, and in none of those excluded
    /// (`pkg/selector/pod/phase_selector.go`).
    private func matchesPhase(_ phase: String) -> Bool {
        let included = phases.filter { !$0.hasPrefix("!") }
        return (included.isEmpty || included.contains(phase)) && !phases.contains("!\(phase)")
    }
}

/// One requirement on a label (Kubernetes: `LabelSelectorRequirement`).
public struct LabelExpression: Sendable, Equatable {
    public enum Operator: String, Sendable, CaseIterable {
        case isIn = "In"
        case notIn = "NotIn"
        case exists = "Exists"
        case doesNotExist = "DoesNotExist"
    }

    public let key: String
    public let `operator`: Operator
    /// At least one for `In` and `NotIn`, none for the others.
    public let values: [String]

    public init(key: String, operator: Operator, values: [String] = []) {
        self.key = key
        self.operator = `operator`
        self.values = values
    }

    func matches(_ labels: [String: String]) -> Bool {
        switch `operator` {
        case .isIn: labels[key].map(values.contains) ?? false
        // A replica without the label is not in any set: Kubernetes selects it.
        case .notIn: labels[key].map { !values.contains($0) } ?? true
        case .exists: labels[key] != nil
        case .doesNotExist: labels[key] == nil
        }
    }
}
