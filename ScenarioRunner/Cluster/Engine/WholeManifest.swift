import Experiments
import Shared

/// A workflow or a schedule as one object of Chaos Mesh's own, which runs it.
struct WholeManifest: Sendable {
    let kind: ChaosKind
    let name: String
    let body: JSONValue
    /// - Parameter duration: of what a schedule starts each time, where its manifest gives it none. A workflow's parts
    ///   may have none: they end by the deadlines of their templates (`workflow_webhook.go`).
    init(
        _ experiment: Experiment, kind: ChaosKind, runID: String, namespace: String, duration: Duration,
        leaseEnd: UnixTime
    ) {
        self.kind = kind
        name = ChaosNaming.name(of: experiment.name, runID: runID)
        var spec = Self.inNamespace(JSONValue(experiment.spec.tree), namespace)
        if case .schedule(let schedule) = experiment.spec, case .object(var fields) = spec,
            case .object(var chaos)? = fields[schedule.bodyField], chaos["duration"] == nil
        {
            chaos["duration"] = .string(GoDuration.text(.seconds(duration.components.seconds)))
            fields[schedule.bodyField] = .object(chaos)
            spec = .object(fields)
        }
        body = ChaosManifest.object(
            experiment, kind: kind, name: name, runID: runID, namespace: namespace, leaseEnd: leaseEnd, spec: spec)
    }

    /// Every selector in it names the namespace, and that alone: those that name another were refused.
    private static func inNamespace(_ value: JSONValue, _ namespace: String) -> JSONValue {
        switch value {
        case .object(var members):
            for (name, member) in members { members[name] = inNamespace(member, namespace) }
            if case .object(var selector)? = members["selector"] {
                selector["namespaces"] = .array([.string(namespace)])
                members["selector"] = .object(selector)
            }
            return .object(members)
        case .array(let elements): return .array(elements.map { inNamespace($0, namespace) })
        default: return value
        }
    }
}
