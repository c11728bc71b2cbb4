/// The fields that all kinds share: selector, mode and value.
extension ReplicaSelection {
    private enum ModeName: String, CaseIterable {
        case one, all, fixed
        case fixedPercent = "fixed-percent"
        case randomMaxPercent = "random-max-percent"
    }

    /// - Parameter namespace: the experiment's own, which a selector without namespaces means.
    init(_ fields: ManifestFields, namespace: String) throws(Refusal) {
        let selector = try fields.require("selector", fields.object("selector"))
        self.init(
            selector: try Selector(selector, namespace: namespace), mode: try ReplicaSelection.mode(fields))
    }

    private static func mode(_ fields: ManifestFields) throws(Refusal) -> SelectionMode {
        let name = try fields.require("mode", fields.choice("mode", of: ModeName.self))
        let value = try fields.string("value") ?? ""
        switch name {
        case .one, .all:
            guard value.isEmpty else {
                throw fields.refusal("value", "means nothing with mode \(name.rawValue): leave it out")
            }
            return name == .one ? .one : .all
        case .fixed:
            guard let count = Int(value), count > 0 else {
                throw fields.refusal("value", "must be a number of replicas from 1, in quotes, with mode fixed")
            }
            return .fixed(count)
        case .fixedPercent, .randomMaxPercent:
            guard let percent = Int(value), (1...100).contains(percent) else {
                throw fields.refusal(
                    "value", "must be a percentage from 1 to 100, in quotes, with mode \(name.rawValue)")
            }
            return name == .fixedPercent ? .fixedPercent(percent) : .randomMaxPercent(percent)
        }
    }
}

extension Selector {
    private static let phaseNames = ["Pending", "Running", "Succeeded", "Failed", "Unknown"]

    init(_ fields: ManifestFields, namespace: String) throws(Refusal) {
        self.init()
        try fields.allow([
            "annotationSelectors", "expressionSelectors", "fieldSelectors", "labelSelectors", "namespaces",
            "nodeSelectors", "nodes", "podPhaseSelectors", "pods",
        ])
        namespaces = try fields.strings("namespaces")
        if namespaces.isEmpty { namespaces = [namespace] }
        labels = try fields.stringMap("labelSelectors")
        for expression in try fields.objects("expressionSelectors") {
            expressions.append(try LabelExpression(expression))
        }
        annotations = try fields.stringMap("annotationSelectors")
        self.fields = try fields.stringMap("fieldSelectors")
        phases = try fields.strings("podPhaseSelectors")
        for phase in phases
        where !Selector.phaseNames.contains(phase.hasPrefix("!") ? String(phase.dropFirst()) : phase) {
            throw fields.refusal(
                "podPhaseSelectors", "'\(phase)' is no phase; known: \(Selector.phaseNames.joined(separator: ", "))")
        }
        nodes = try fields.strings("nodes")
        nodeLabels = try fields.stringMap("nodeSelectors")
        pods = try fields.stringsMap("pods")
    }
}

extension LabelExpression {
    fileprivate init(_ fields: ManifestFields) throws(Refusal) {
        try fields.allow(["key", "operator", "values"])
        let key = try fields.require("key", fields.string("key"))
        let `operator` = try fields.require("operator", fields.choice("operator", of: Operator.self))
        let values = try fields.strings("values")
        let needsValues = `operator` == .isIn || `operator` == .notIn
        guard values.isEmpty != needsValues else {
            throw fields.refusal(
                "values", "\(needsValues ? "needs at least one value" : "must be empty") with \(`operator`.rawValue)")
        }
        self.init(key: key, operator: `operator`, values: values)
    }
}
