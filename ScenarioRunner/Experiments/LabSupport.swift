/// What the local lab can run. Everything else is refused with the place of the field, never left out in silence.
public enum LabSupport {
    /// Busy workers that one machine bears for each replica.
    public static let maximumWorkers = 64

    private static let reason = "not supported by the local lab yet"

    /// Why the lab cannot run `experiment`, or nil when it can run every field of it.
    public static func refusal(of experiment: Experiment) -> Refusal? {
        let unsupported: String?
        switch experiment.spec {
        case .other:
            return experiment.refusal("kind", "\(experiment.kind) is \(reason)")
        case .network(let network):
            unsupported = unsupportedField(of: network)
        case .stress(let stress):
            if let refusal = tooMuch(stress, in: experiment) { return refusal }
            unsupported = unsupportedField(of: stress)
        }
        return unsupported.map { experiment.refusal($0, reason) }
    }

    private static func unsupportedField(of network: NetworkChaosSpec) -> String? {
        guard network.action == .loss, let loss = network.loss else { return "spec.action" }
        let none = Percentage(basisPoints: 0)
        let fields: [(String, Bool)] = [
            ("spec.loss.loss", loss.loss == none),
            ("spec.loss.correlation", loss.correlation > none),
            ("spec.delay", network.delay != nil),
            ("spec.duplicate", network.duplicate != nil),
            ("spec.corrupt", network.corrupt != nil),
            ("spec.rate", network.rate != nil),
            ("spec.bandwidth", network.bandwidth != nil),
            ("spec.device", network.device != nil),
            ("spec.targetDevice", network.targetDevice != nil),
            ("spec.externalTargets", !network.externalTargets.isEmpty),
            ("spec.remoteCluster", network.remoteCluster != nil),
        ]
        return fields.first { $0.1 }?.0
            ?? unseen(by: network.source.selector, at: "spec.selector")
            ?? network.target.flatMap { unseen(by: $0.selector, at: "spec.target.selector") }
    }

    private static func unsupportedField(of stress: StressChaosSpec) -> String? {
        let fields: [(String, Bool)] = [
            ("spec.stressngStressors", stress.stressngStressors != nil),
            ("spec.containerNames", !stress.containerNames.isEmpty),
            ("spec.remoteCluster", stress.remoteCluster != nil),
            ("spec.stressors.cpu.options", stress.cpu.map { !$0.options.isEmpty } ?? false),
            ("spec.stressors.memory.options", stress.memory.map { !$0.options.isEmpty } ?? false),
            ("spec.stressors.memory.oomScoreAdj", stress.memory.map { $0.oomScoreAdjustment != 0 } ?? false),
            ("spec.stressors.memory.size", stress.memory.map { !isInBytes($0.size) } ?? false),
        ]
        return fields.first { $0.1 }?.0 ?? unseen(by: stress.target.selector, at: "spec.selector")
    }

    private static func isInBytes(_ size: MemorySize?) -> Bool {
        if case .bytes = size { true } else { false }
    }

    private static func tooMuch(_ stress: StressChaosSpec, in experiment: Experiment) -> Refusal? {
        let workers = [("cpu", stress.cpu?.workers ?? 0), ("memory", stress.memory?.workers ?? 0)]
        guard let (stressor, count) = workers.first(where: { $0.1 > maximumWorkers }) else { return nil }
        return experiment.refusal(
            "spec.stressors.\(stressor).workers",
            "\(count) workers a replica are more than the \(maximumWorkers) that the local lab starts")
    }

    /// The first part of a selector that asks for what the lab's replicas do not have.
    private static func unseen(by selector: Selector, at path: String) -> String? {
        let parts: [(String, Bool)] = [
            ("annotationSelectors", !selector.annotations.isEmpty),
            ("fieldSelectors", !selector.fields.isEmpty),
            ("nodeSelectors", !selector.nodeLabels.isEmpty),
            ("nodes", !selector.nodes.isEmpty),
        ]
        return parts.first { $0.1 }.map { "\(path).\($0.0)" }
    }
}
