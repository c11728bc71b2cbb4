import Experiments

/// What Chaos Mesh cannot do as well by itself as part by part: choose the pods that were planned, and take more objects
/// or other names than the manifest has.
extension ClusterSupport {
    func wholeRefusal(of experiment: Experiment) -> Refusal? {
        guard experiment.isWhole else { return nil }
        switch experiment.spec {
        case .schedule(let schedule): return refusal(ofPart: schedule.bodySpec, in: experiment)
        case .workflow(let workflow):
            return workflow.templates.lazy.compactMap { template in
                switch template.body {
                case .chaos(let chaos): refusal(ofPart: chaos.spec, in: experiment)
                case .schedule(let schedule): refusal(ofPart: schedule.bodySpec, in: experiment)
                case .serial, .parallel, .suspend, .statusCheck, .task: nil
                }
            }.first
        case .network, .stress, .pod, .http, .io, .statusCheck, .failureModes, .other:
            return refused(experiment, "is for a Workflow or a Schedule alone")
        }
    }

    private func refusal(ofPart spec: Experiment.Spec, in experiment: Experiment) -> Refusal? {
        if case .workflow = spec { return refused(experiment, "does not go with a Schedule of a Workflow") }
        guard let selection = spec.selection else { return nil }
        guard selection.mode == .all else {
            return refused(
                experiment, "takes `mode: all` in every part: Chaos Mesh would choose other pods than planned")
        }
        guard case .network(let network) = spec, network.action != .partition, let target = network.target,
            let app = target.selector.labels["app"], services.contains(app)
        else { return nil }
        guard target.mode == .all, network.direction == .to else {
            return refused(experiment, "takes network faults with `direction: to` and all pods of a target alone")
        }
        guard network.otherExternalTargets.count < network.externalTargets.count else {
            return refused(experiment, "needs the Service of \(app) among the externalTargets: \(app).\(namespace).svc")
        }
        return nil
    }

    private func refused(_ experiment: Experiment, _ reason: String) -> Refusal {
        experiment.refusal("metadata.annotations.\(Experiment.runByAnnotation)", "chaos-mesh \(reason)")
    }
}
