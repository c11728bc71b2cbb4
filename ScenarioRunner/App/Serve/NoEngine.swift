import Experiments

/// Where there is neither a lab nor a cluster, as in plain containers: failure modes can be switched, for they are the
/// payment service's own; everything else is refused.
struct NoEngine: ChaosEngine {
    let name = "none"

    func refusal(of experiment: Experiment) -> Refusal? {
        if case .failureModes = experiment.spec { return nil }
        return experiment.refusal(
            "kind",
            "nothing here makes such faults: run it in the lab ('scenario-runner lab'), or in a cluster with Chaos Mesh"
        )
    }

    func plan(_ experiment: Experiment, seed: UInt64) throws -> FaultPlan {
        throw refusal(of: experiment) ?? experiment.refusal("kind", "is no single fault")
    }

    func inject(_ experiment: Experiment, runID: String, seed: UInt64) async throws -> any InjectedFault {
        throw refusal(of: experiment) ?? experiment.refusal("kind", "is no single fault")
    }
}
