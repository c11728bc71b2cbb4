import Experiments

/// An engine that does something besides for another one's faults: what it does not change is the other's.
protocol EngineDecorator: ChaosEngine {
    var base: any ChaosEngine { get }
}

extension EngineDecorator {
    var name: String { base.name }

    func refusal(of experiment: Experiment) -> Refusal? { base.refusal(of: experiment) }

    func takesWhole(_ experiment: Experiment) -> Bool { base.takesWhole(experiment) }

    func plan(_ experiment: Experiment, seed: UInt64) throws -> FaultPlan { try base.plan(experiment, seed: seed) }

    func inject(_ experiment: Experiment, runID: String, seed: UInt64) async throws -> any InjectedFault {
        try await inject(experiment, runID: runID, seed: seed, lasting: RunLimits.longestFault)
    }
}
