import Experiments
import Shared
import Synchronization

/// One object of Chaos Mesh in force.
final class InjectedChaos: InjectedFault {
    private struct State {
        var uid: String?
        var forcedReason: String?
        var isGone = false
        var note: (@Sendable (String, String) -> Void)?
        var effect: PodEffect
    }

    let experiment: Experiment
    let manifest: ChaosManifest
    let choice: PodChoice
    let plan: FaultPlan
    private let desk: ChaosDesk
    private let leases: LeaseBook
    private let state: Mutex<State>

    init(
        experiment: Experiment, manifest: ChaosManifest, choice: PodChoice, plan: FaultPlan, desk: ChaosDesk,
        leases: LeaseBook
    ) {
        self.experiment = experiment
        self.manifest = manifest
        self.choice = choice
        self.plan = plan
        self.desk = desk
        self.leases = leases
        state = Mutex(State(effect: PodEffect(experiment.spec, choice.pods)))
    }

    var summary: String {
        "\(experiment.effectiveDoseText) (\(choice.pods.map(\.name).joined(separator: ", ")); "
            + "\(manifest.kind.kind)/\(manifest.name))"
    }

    var places: Set<FaultPlan.Place> { plan.places }

    /// Why its finalizers were given up, if they were.
    var forcedReason: String? { state.withLock { $0.forcedReason } }

    private var entry: LeaseBook.Entry { .init(kind: manifest.kind, name: manifest.name) }

    func created(_ object: ChaosObject) {
        leases.add(entry)
        state.withLock { $0.uid = object.metadata.uid }
    }

    /// Of a pod failure: until none of its pods is ready. Chaos Mesh is done when it has changed the pod; kubelet ends
    /// the containers after that, with their `preStop` and their grace period, and for so long they serve.
    ///
    /// - Throws: ``ClusterError`` when they still serve after the time that an injection may take.
    func waitUntilDown() async throws {
        guard case .pod(let spec) = experiment.spec, spec.action == .podFailure else { return }
        let limit = desk.api.timing.injection
        let deadline = ContinuousClock.now + limit
        while true {
            let ready = Set(try await desk.pods.refresh().pods.filter(\.isReady).map(\.uid))
            let serving = choice.pods.filter { ready.contains($0.uid) }.map(\.name)
            guard !serving.isEmpty else { return }
            guard ContinuousClock.now < deadline else {
                throw ClusterError(
                    .notInjected,
                    "\(serving.joined(separator: ", ")) still ready \(GoDuration.text(limit)) after Chaos Mesh's change",
                    remedy: "see what keeps the containers alive: kubectl -n \(desk.api.access.namespace) describe pod "
                        + "\(serving[0])")
            }
            try await Task.sleep(for: Self.podLook)
        }
    }

    private static let podLook = Duration.milliseconds(250)

    func inForce() { state.withLock { $0.effect.begin(at: .now) } }

    /// Chaos Mesh does the work; what happens to the object besides is told by the way.
    func work(_ note: @escaping @Sendable (String, String) -> Void) async -> FaultWork {
        state.withLock { $0.note = note }
        return .goesOn
    }

    // MARK: Dose

    func readings() async throws -> [DoseReading] {
        let object: ChaosObject
        do {
            object = try await desk.api.get(manifest.kind.resource, manifest.name)
        } catch let error as ClusterError where ChaosDesk.isGone(error) {
            throw ClusterError(
                .notFound, "\(manifest.kind.kind)/\(manifest.name) is not there any more: somebody has deleted it")
        }
        let looksAtPods = state.withLock { $0.effect.looksAtPods }
        if !looksAtPods, case .stress(let stress) = experiment.spec {
            let pods = try await desk.pods.refresh().pods
            return [.targets(StressEffect(stress, choice.pods).reading(targets(object), pods))]
        }
        guard looksAtPods else { return [.targets(targets(object))] }
        let pods = try await desk.pods.refresh().pods
        return state.withLock { [$0.effect.reading(pods, at: .now)] }
    }

    private func targets(_ object: ChaosObject) -> TargetReading {
        let records = object.records
        return TargetReading(
            asked: max(records.count, choice.names.count),
            injected: records.filter(\.isInjected).map(\.target).sorted(),
            troubles: records.compactMap { record in
                guard !record.isInjected, let reason = record.failure("Apply") ?? record.failure("Recover") else {
                    return nil
                }
                return "\(record.target): \(ChaosTrouble.brief(reason))"
            })
    }

    // MARK: Out

    func remove() async throws {
        guard !state.withLock({ $0.isGone }) else { return }
        // From now on its lease is not renewed: what is not gone in the end is swept.
        leases.remove(entry)
        let (uid, desk, manifest) = (state.withLock { $0.uid }, desk, manifest)
        let reason = try await uncancelled { try await desk.remove(manifest.kind, manifest.name, uid: uid) }
        let note = state.withLock { state in
            state.isGone = true
            state.forcedReason = reason
            return state.note
        }
        if let reason { note?("finalizer_forced", "\(manifest.kind.kind)/\(manifest.name): \(reason)") }
    }
}
