import Experiments
import Logging
import Shared

/// Runs single faults by Chaos Mesh.
///
/// ```
///   manifest --selectors, mode, seed, pods--> names --create--> object --Selected, AllInjected--> InjectedFault
///                                                                  '--delete, gone<-- remove
/// ```
///
/// * The selectors are worked out here, so that plan and run choose alike for the same seed, and the object names the
///   pods.
/// * Every object has a duration, after which Chaos Mesh's own controller ends it, and a lease, after which any runner
///   of the namespace deletes it: whatever becomes of this one.
/// * Whoever puts this engine behind one that walks workflows and schedules part by part gets more than Chaos Mesh's own
///   give: each part's pods are planned, its injection is waited for, its dose read and its removal checked, and a
///   runner that dies starts no further part. Given whole, they are created as objects of their own, which Chaos Mesh
///   runs; what those make has neither our labels nor a lease (`controllers/schedule/cron`), and goes with them.
public struct ChaosMeshEngine: ChaosEngine {
    /// Stands for whoever is no pod of the namespace, in the places of network faults.
    public static let outside = "client"

    public let name = "chaos-mesh"

    private let api: KubernetesAPI
    private let pods: PodDirectory
    private let leases: LeaseBook
    private let desk: ChaosDesk
    private let support: ClusterSupport

    public init(_ api: KubernetesAPI, pods: PodDirectory, leases: LeaseBook, logger: Logger) {
        self.api = api
        self.pods = pods
        self.leases = leases
        desk = ChaosDesk(api: api, pods: pods, logger: logger)
        support = ClusterSupport(namespace: api.access.namespace)
    }

    public func refusal(of experiment: Experiment) -> Refusal? { support.refusal(of: experiment) }

    // MARK: Before

    /// From the pods as they are known now.
    ///
    /// - Throws: ``Refusal``, also when the selectors choose nothing; ``ClusterError`` while no pods are known.
    public func plan(_ experiment: Experiment, seed: UInt64) throws -> FaultPlan {
        if let refusal = refusal(of: experiment) { throw refusal }
        let snapshot = pods.snapshot()
        guard snapshot.heardFrom != nil else {
            throw ClusterError(
                .unreachable, "the pods of \(api.access.namespace) are not known yet",
                remedy: "see whether the API server at \(api.access.server) can be reached")
        }
        guard experiment.spec.selection != nil else { return wholePlan(experiment) }
        return try plan(experiment, PodChoice(experiment, from: snapshot.pods, seed: seed), snapshot.pods)
    }

    private func wholePlan(_ experiment: Experiment) -> FaultPlan {
        FaultPlan(
            replicas: [], places: [],
            steps: [
                .init(
                    location: "Chaos Mesh, namespace \(api.access.namespace)",
                    action: "create \(experiment.kind) \(experiment.name)-*: \(experiment.effectiveDoseText)",
                    undo: "delete it with all that it has made, and wait until they are gone")
            ])
    }

    private func plan(_ experiment: Experiment, _ choice: PodChoice, _ all: [PodFacts]) -> FaultPlan {
        FaultPlan(
            replicas: choice.pods.map(\.name),
            places: FaultPlaces(outside: Self.outside).places(of: experiment.spec, choice, all: all),
            steps: [
                .init(
                    location: "Chaos Mesh, namespace \(api.access.namespace)",
                    action: "create \(experiment.kind) \(experiment.name)-*: \(experiment.effectiveDoseText), in "
                        + choice.pods.map(\.name).joined(separator: ", "),
                    undo: "delete it, and wait until it is gone")
            ])
    }

    /// Looks whether a run of it can begin now: API server, Chaos Mesh, rights, pods. For an answer before the run.
    ///
    /// - Throws: ``Refusal`` or ``ClusterError``.
    public func preflight(_ experiment: Experiment) async throws {
        if let refusal = refusal(of: experiment) { throw refusal }
        let all = try await pods.refresh().pods
        if experiment.spec.selection != nil { _ = try PodChoice(experiment, from: all, seed: 0) }
        for kind in experiment.spec.chaosKinds(experiment.kind).sorted(by: { $0.kind < $1.kind }) {
            _ = try await api.probe(kind.resource)
            let permission = KubernetesPermission(group: ChaosKind.group, resource: kind.plural, verb: "create")
            guard try await api.isAllowed(permission) else {
                throw KubernetesCall(
                    verb: "create", resource: kind.resource.name, namespace: api.access.namespace
                ).forbidden("")
            }
        }
    }

    // MARK: In

    public func inject(_ experiment: Experiment, runID: String, seed: UInt64) async throws -> any InjectedFault {
        try await inject(experiment, runID: runID, seed: seed, lasting: api.timing.longestFault)
    }

    /// - Parameter lasting: for how long it is wanted at most; the object ends by itself soon after.
    /// - Throws: ``Refusal``, ``ClusterError``, `CancellationError`; ``FaultLeftBehind`` when the object could not be
    ///   taken back.
    public func inject(
        _ experiment: Experiment, runID: String, seed: UInt64, lasting: Duration
    ) async throws -> any InjectedFault {
        if let refusal = refusal(of: experiment) { throw refusal }
        guard let kind = ChaosKind(experiment.kind) else {
            throw experiment.refusal("kind", "\(experiment.kind) is no object of Chaos Mesh")
        }
        guard !kind.ownsOthers else {
            return try await injectWhole(experiment, kind, runID: runID, lasting: lasting)
        }
        let all = try await pods.refresh().pods
        let choice = try PodChoice(experiment, from: all, seed: seed)
        let timing = api.timing
        let manifest = ChaosManifest(
            experiment, kind: kind, runID: runID, namespace: api.access.namespace, choice: choice,
            duration: lasting + timing.injection + timing.margin,
            leaseEnd: LeaseSweep.leaseEnd(timing, after: api.clock.now))
        let fault = InjectedChaos(
            experiment: experiment, manifest: manifest, choice: choice, plan: plan(experiment, choice, all), desk: desk,
            leases: leases)
        try await put(fault, runID: runID)
        return fault
    }

    /// Has Chaos Mesh itself run a workflow or a schedule; in force means that its controller has taken it up.
    private func injectWhole(
        _ experiment: Experiment, _ kind: ChaosKind, runID: String, lasting: Duration
    ) async throws -> any InjectedFault {
        let manifest = WholeManifest(
            experiment, kind: kind, runID: runID, namespace: api.access.namespace, duration: lasting,
            leaseEnd: LeaseSweep.leaseEnd(api.timing, after: api.clock.now))
        let fault = WholeTimeline(experiment: experiment, manifest: manifest, desk: desk, leases: leases)
        var isThere = true
        do {
            let object: ChaosObject
            do {
                object = try await desk.create(kind, manifest.name, manifest.body, runID: runID)
            } catch {
                isThere = ChaosDesk.mayBeThere(error)
                throw error
            }
            fault.created(object)
            try await desk.waitForTakeUp(object, kind: kind)
            return fault
        } catch let injection {
            guard isThere else { throw injection }
            do {
                try await fault.remove()
            } catch let removal {
                throw FaultLeftBehind(fault: fault, injection: injection, removal: removal)
            }
            throw injection
        }
    }

    private func put(_ fault: InjectedChaos, runID: String) async throws {
        let manifest = fault.manifest
        var isThere = true
        do {
            let object: ChaosObject
            do {
                object = try await desk.create(manifest.kind, manifest.name, manifest.body, runID: runID)
            } catch {
                isThere = ChaosDesk.mayBeThere(error)
                throw error
            }
            fault.created(object)
            try await desk.waitForInjection(object, kind: manifest.kind, pods: fault.choice.names)
            fault.inForce()
        } catch let injection {
            guard isThere else { throw injection }
            do {
                try await fault.remove()
            } catch let removal {
                throw FaultLeftBehind(fault: fault, injection: injection, removal: removal)
            }
            guard let reason = fault.forcedReason, let error = injection as? ClusterError else { throw injection }
            throw ClusterError(
                error.kind, "\(error.detail) [its finalizers were given up: \(reason)]", remedy: error.remedy)
        }
    }
}

extension Experiment.Spec {
    /// The kinds of all objects that are made for it.
    func chaosKinds(_ kind: String) -> Set<ChaosKind> {
        switch self {
        case .schedule(let schedule): return schedule.bodySpec.chaosKinds(schedule.type)
        case .workflow(let workflow):
            return workflow.templates.reduce(into: []) { kinds, template in
                switch template.body {
                case .chaos(let chaos): kinds.formUnion(chaos.spec.chaosKinds(chaos.kind))
                case .schedule(let schedule): kinds.formUnion(schedule.bodySpec.chaosKinds(schedule.type))
                case .serial, .parallel, .suspend, .statusCheck, .task: break
                }
            }
        case .statusCheck, .failureModes, .other: return []
        case .network, .stress, .pod, .http, .io: return ChaosKind(kind).map { [$0] } ?? []
        }
    }
}
