import Experiments
import Shared

/// An experiment as the object that is created for it.
struct ChaosManifest: Sendable {
    let kind: ChaosKind
    let name: String
    let body: JSONValue

    /// - Parameters:
    ///   - choice: the pods that it acts on.
    ///   - part: which of the objects of a network fault it is; nil for one as its manifest says.
    ///   - duration: after which it ends by itself, counted from its creation.
    ///   - leaseEnd: until when nobody sweeps it.
    init(
        _ experiment: Experiment, kind: ChaosKind, runID: String, namespace: String, choice: PodChoice,
        part: NetworkPart? = nil, duration: Duration, leaseEnd: UnixTime
    ) {
        self.kind = kind
        name = ChaosNaming.name(of: experiment.name, runID: runID, isReversed: part?.isReversed ?? false)
        var spec: [String: JSONValue] = [:]
        if case .object(let fields) = JSONValue(experiment.spec.tree) { spec = fields }
        Self.pin(&spec, to: choice.pods, namespace)
        // The `target` of an HTTPChaos is a word.
        if case .object(var target) = spec["target"] {
            Self.pin(&target, to: choice.targets ?? [], namespace)
            spec["target"] = .object(target)
        }
        part?.apply(to: &spec)
        spec["duration"] = .string(GoDuration.text(.seconds(duration.components.seconds)))
        body = Self.object(
            experiment, kind: kind, name: name, runID: runID, namespace: namespace, leaseEnd: leaseEnd,
            spec: .object(spec))
    }

    /// The object around a spec, with the marks by which it is known.
    static func object(
        _ experiment: Experiment, kind: ChaosKind, name: String, runID: String, namespace: String, leaseEnd: UnixTime,
        spec: JSONValue
    ) -> JSONValue {
        let annotations = experiment.annotations.merging(
            [ChaosNaming.leaseAnnotation: KubernetesTime.text(leaseEnd)]) { $1 }
        return .object([
            "apiVersion": .string("\(ChaosKind.group)/\(ChaosKind.version)"), "kind": .string(kind.kind),
            "metadata": .object([
                "name": .string(name), "namespace": .string(namespace),
                "labels": .object(ChaosNaming.labels(of: experiment, runID: runID).mapValues { .string($0) }),
                "annotations": .object(annotations.mapValues { .string($0) }),
            ]),
            "spec": spec,
        ])
    }

    /// The choice is made already: these pods, all of them, and none elsewhere.
    private static func pin(_ selection: inout [String: JSONValue], to pods: [PodFacts], _ namespace: String) {
        selection["mode"] = .string("all")
        selection["value"] = nil
        selection["selector"] = .object([
            "namespaces": .array([.string(namespace)]),
            "pods": .object([namespace: .array(pods.map { .string($0.name) })]),
        ])
    }
}

extension NetworkPart {
    /// Makes the spec of a whole fault that of this object of it.
    fileprivate func apply(to spec: inout [String: JSONValue]) {
        if isReversed, case .object(var target) = spec["target"] {
            for field in ["mode", "selector"] { (spec[field], target[field]) = (target[field], spec[field]) }
            spec["target"] = .object(target)
            (spec["device"], spec["targetDevice"]) = (spec["targetDevice"], spec["device"])
        }
        spec["direction"] = .string("to")
        var named: [JSONValue] = []
        if case .array(let own) = spec["externalTargets"] { named = own }
        named += services.map { .string($0) }.filter { !named.contains($0) }
        if !named.isEmpty { spec["externalTargets"] = .array(named) }
    }
}
