import Experiments
import Shared

/// Runs what goes on over time - workflows, schedules, failure modes - on an engine that knows single faults.
///
/// ```
///   NetworkChaos, StressChaos, PodChaos ----------------------------> base engine
///   Workflow, Schedule --> TimelineFault --one part after another---> base engine
///   FailureModes --------> TimelineFault --step after step----------> payment service's settings
/// ```
///
/// It is the same everywhere: what Chaos Mesh spawns by itself has no lease and no dose of its own. Only where a manifest
/// asks for that does it get the whole; where the parts act is looked at beforehand all the same.
struct TimelineEngine: ChaosEngine {
    let base: any ChaosEngine
    let tools: TimelineTools

    var name: String { base.name }

    /// What cannot be done in any part is refused before the first.
    func refusal(of experiment: Experiment) -> Refusal? {
        if let refusal = base.refusal(of: experiment) { return refusal }
        guard let timeline = Timeline(experiment, seed: 0) else { return nil }
        do {
            _ = try timeline.plan { part, seed in
                if let refusal = base.refusal(of: part) { throw refusal }
                return FaultPlan(replicas: [], places: [], steps: [])
            }
            return nil
        } catch {
            return error as? Refusal
        }
    }

    func plan(_ experiment: Experiment, seed: UInt64) throws -> FaultPlan {
        if let refusal = refusal(of: experiment) { throw refusal }
        guard let timeline = Timeline(experiment, seed: seed) else { return try base.plan(experiment, seed: seed) }
        let parts = try timeline.plan { try base.plan($0, seed: $1) }
        guard base.takesWhole(experiment) else { return parts }
        let whole = try base.plan(experiment, seed: seed)
        return FaultPlan(replicas: parts.replicas, places: parts.places, steps: whole.steps)
    }

    func inject(_ experiment: Experiment, runID: String, seed: UInt64) async throws -> any InjectedFault {
        try await inject(experiment, runID: runID, seed: seed, lasting: RunLimits.longestFault)
    }

    func inject(
        _ experiment: Experiment, runID: String, seed: UInt64, lasting: Duration
    ) async throws -> any InjectedFault {
        if let refusal = refusal(of: experiment) { throw refusal }
        guard let timeline = Timeline(experiment, seed: seed), !base.takesWhole(experiment) else {
            return try await base.inject(experiment, runID: runID, seed: seed, lasting: lasting)
        }
        return TimelineFault(timeline, engine: base, tools: tools, runID: runID)
    }
}

/// What a timeline does besides putting faults in force.
struct TimelineTools: Sendable {
    /// Switches the payment failures.
    let setFailureModes: @Sendable (FailureModes) -> Void
    /// Whether the payment services have taken up the last switch.
    let areModesFollowed: @Sendable () -> Bool
    /// Asks once, as a user of the system: nil when no answer came.
    let ask: @Sendable (StatusCheckSpec) async -> Int?
    /// Is told when a part in force, by its id, will be taken away.
    var willEnd: @Sendable (_ part: String, _ time: UnixTime) -> Void = { _, _ in }
}
