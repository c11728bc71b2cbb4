import Experiments
import Shared
import Synchronization

/// A workflow or a schedule that Chaos Mesh itself runs, as one object.
final class WholeTimeline: InjectedFault {
    private struct State {
        var uid: String?
        var isGone = false
        /// Parts that were ever seen, and those of them that were seen injected.
        var seen: Set<String> = []
        var injected: Set<String> = []
    }

    let experiment: Experiment
    let manifest: WholeManifest
    private let desk: ChaosDesk
    private let leases: LeaseBook
    private let state = Mutex(State())

    init(experiment: Experiment, manifest: WholeManifest, desk: ChaosDesk, leases: LeaseBook) {
        self.experiment = experiment
        self.manifest = manifest
        self.desk = desk
        self.leases = leases
    }

    var summary: String { "\(experiment.effectiveDoseText) (\(manifest.kind.kind)/\(manifest.name))" }

    private var entry: LeaseBook.Entry { .init(kind: manifest.kind, name: manifest.name) }

    func created(_ object: ChaosObject) {
        leases.add(entry)
        state.withLock { $0.uid = object.metadata.uid }
    }

    /// Looks at it once a second; it is done when its workflow is. A schedule never is.
    func work(_ note: @escaping @Sendable (String, String) -> Void) async -> FaultWork {
        while !Task.isCancelled, !state.withLock({ $0.isGone }) {
            if let object: ChaosObject = try? await desk.api.get(manifest.kind.resource, manifest.name) {
                _ = try? await look(note)
                if object.condition("Accomplished") == true {
                    note("timeline_done", summary)
                    return .done
                }
            }
            try? await Task.sleep(for: .seconds(1))
        }
        return .goesOn
    }

    func readings() async throws -> [DoseReading] {
        let (seen, injected) = try await look { _, _ in }
        return [.steps(asked: seen, done: injected)]
    }

    /// The objects that it has made: how many were seen so far, and how many of them injected.
    private func look(_ note: (String, String) -> Void) async throws -> (seen: Int, injected: Int) {
        for kind in experiment.spec.chaosKinds(experiment.kind) {
            let parts = try await desk.api.list(
                kind.resource, labels: "\(manifest.kind.labelOfParts)=\(manifest.name)", as: ChaosObject.self)
            for part in parts.items {
                let name = "\(kind.kind)/\(part.metadata.name)"
                let isInjected = part.condition("AllInjected") == true
                let isNew = state.withLock { state in
                    state.seen.insert(name)
                    return isInjected && state.injected.insert(name).inserted
                }
                if isNew { note("part_in_force", name) }
            }
        }
        return state.withLock { ($0.seen.count, $0.injected.count) }
    }

    func remove() async throws {
        guard !state.withLock({ $0.isGone }) else { return }
        leases.remove(entry)
        let (uid, desk, manifest) = (state.withLock { $0.uid }, desk, manifest)
        _ = try await uncancelled { try await desk.remove(manifest.kind, manifest.name, uid: uid) }
        state.withLock { $0.isGone = true }
    }
}
