import Experiments
import Shared
import Synchronization

/// The faults in force at this moment, for the picture of the system.
///
/// ```
///   engine.inject --verified--> on the board --remove, verified--> off the board
/// ```
final class FaultBoard: Sendable {
    struct Entry: Sendable, Equatable {
        /// The run's id, or for a part of a run a name that begins with it.
        let id: String
        let signs: [FaultSign]
        /// Of a network fault.
        let direction: NetworkChaosSpec.Direction?
        let places: [FaultPlan.Place]
        /// Of a part that ends before its run's fault does.
        var endsAt: UnixTime?
        /// Its removal has begun.
        var isLeaving = false
    }

    private let entries = Mutex<[Entry]>([])

    /// In the order in which they came.
    var inForce: [Entry] { entries.withLock { $0 } }

    func add(_ entry: Entry) { entries.withLock { $0.append(entry) } }

    func remove(_ id: String) { entries.withLock { $0.removeAll { $0.id == id } } }

    func leaves(_ id: String) { change(id) { $0.isLeaving = true } }

    func ends(_ id: String, at time: UnixTime) { change(id) { $0.endsAt = time } }

    private func change(_ id: String, _ change: (inout Entry) -> Void) {
        entries.withLock { entries in
            guard let index = entries.firstIndex(where: { $0.id == id }) else { return }
            change(&entries[index])
        }
    }
}

/// Keeps the board for an engine of single faults.
struct BoardedEngine: EngineDecorator {
    let base: any ChaosEngine
    let board: FaultBoard

    func inject(
        _ experiment: Experiment, runID: String, seed: UInt64, lasting: Duration
    ) async throws -> any InjectedFault {
        do {
            return onBoard(
                try await base.inject(experiment, runID: runID, seed: seed, lasting: lasting), experiment, runID)
        } catch let left as FaultLeftBehind {
            let fault = onBoard(left.fault, experiment, runID)
            board.leaves(runID)
            throw FaultLeftBehind(fault: fault, injection: left.injection, removal: left.removal)
        }
    }

    private func onBoard(
        _ fault: any InjectedFault, _ experiment: Experiment, _ runID: String
    ) -> any InjectedFault {
        board.add(
            .init(
                id: runID, signs: experiment.spec.signs, direction: experiment.spec.direction,
                places: fault.places.sorted { $0.description < $1.description }))
        return BoardedFault(base: fault, id: runID, board: board)
    }
}

private struct BoardedFault: InjectedFault {
    let base: any InjectedFault
    let id: String
    let board: FaultBoard

    var summary: String { base.summary }
    var places: Set<FaultPlan.Place> { base.places }

    func work(_ note: @escaping @Sendable (String, String) -> Void) async -> FaultWork {
        await base.work(note)
    }

    func readings() async throws -> [DoseReading] { try await base.readings() }

    func remove() async throws {
        board.leaves(id)
        try await base.remove()
        board.remove(id)
    }
}
