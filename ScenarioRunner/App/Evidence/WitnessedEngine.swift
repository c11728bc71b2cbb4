import Experiments
import Shared

/// Asks the callers what a network fault does to their calls, where whoever made the fault counts nothing: in a cluster
/// its records say that it was put somewhere, which is not yet that it bites.
struct WitnessedEngine: EngineDecorator {
    let base: any ChaosEngine
    let witness: PathWitness

    func inject(
        _ experiment: Experiment, runID: String, seed: UInt64, lasting: Duration
    ) async throws -> any InjectedFault {
        // Without load there is no baseline either.
        guard case .network(let network) = experiment.spec, let trace = TrafficTrace(network),
            let slowness = ReplicaCounts.bound(within: trace.slowness),
            let before = await witness.baseline(of: runID)
        else { return try await base.inject(experiment, runID: runID, seed: seed, lasting: lasting) }
        let fault = try await base.inject(experiment, runID: runID, seed: seed, lasting: lasting)
        return WitnessedFault(
            base: fault, witness: witness, trace: TrafficTrace(share: trace.share, slowness: slowness), before: before,
            start: await witness.look())
    }
}

private struct WitnessedFault: InjectedFault {
    let base: any InjectedFault
    let witness: PathWitness
    let trace: TrafficTrace
    let before: (begin: PathWitness.Look, end: PathWitness.Look)
    let start: PathWitness.Look

    var summary: String { base.summary }
    var places: Set<FaultPlan.Place> { base.places }

    func work(_ note: @escaping @Sendable (String, String) -> Void) async -> FaultWork {
        await base.work(note)
    }

    func readings() async throws -> [DoseReading] {
        let readings = try await base.readings()
        let now = await witness.look()
        return readings
            + witness.paths(in: places).map { path in
                // The same callers before and now: their calls are compared.
                let callers = path.callers.filter { name in
                    [before.begin, before.end, start, now].allSatisfy { $0.knows(name) }
                }
                return .traffic(
                    TrafficReading(
                        trace: trace, path: "\(path.callers.joined(separator: ", ")) -> \(path.service)",
                        before: before.end.counts(
                            since: before.begin, of: path.path, at: callers, slowness: trace.slowness),
                        during: now.counts(since: start, of: path.path, at: callers, slowness: trace.slowness)))
            }
    }

    func remove() async throws { try await base.remove() }
}
