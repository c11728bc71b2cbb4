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
///   pods. Faults on the packets to a Service take more than their manifest says: ``ServiceCall`` tells why.
/// * Every object has a duration, after which Chaos Mesh's own controller ends it, and a lease, after which any runner
///   of the namespace deletes it: whatever becomes of this one.
/// * Workflows and schedules are walked through by whoever has this engine, part by part: so each part's pods are planned,
///   its injection is waited for, its dose read and its removal checked, and a runner that dies starts no further part.
///   One whose manifest says `payment-chaos.io/run-by: chaos-mesh` is created as an object of its own, which Chaos Mesh
///   runs; what that makes has neither our labels nor a lease (`controllers/schedule/cron`), and goes with it.
public struct ChaosMeshEngine: ChaosEngine {
    /// Stands for whoever is no pod of the namespace, in the places of network faults.
    public static let outside = "client"

    public let name = "chaos-mesh"

    private let api: KubernetesAPI
    private let pods: PodDirectory
    private let leases: LeaseBook
    private let desk: ChaosDesk
    private let support: ClusterSupport
    private let calls: [ServiceCall]

    /// - Parameter calls: how the services of the namespace call each other.
    public init(_ api: KubernetesAPI, pods: PodDirectory, leases: LeaseBook, calls: [ServiceCall], logger: Logger) {
        self.api = api
        self.pods = pods
        self.leases = leases
        self.calls = calls
        desk = ChaosDesk(api: api, pods: pods, logger: logger)
        support = ClusterSupport(
            namespace: api.access.namespace, services: Set(calls.flatMap { [$0.caller, $0.service] }))
    }

    public func refusal(of experiment: Experiment) -> Refusal? { support.refusal(of: experiment) }

    public func takesWhole(_ experiment: Experiment) -> Bool {
        experiment.isWhole && ChaosKind(experiment.kind)?.ownsOthers == true
    }

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
        let choice = try chosen(experiment, from: snapshot.pods, seed: seed)
        return plan(experiment, choice, try parts(of: experiment, choice, snapshot.pods), snapshot.pods)
    }

    private func chosen(_ experiment: Experiment, from all: [PodFacts], seed: UInt64?) throws -> PodChoice {
        let choice = try PodChoice(experiment, from: all, seed: seed, ownPod: api.access.ownPod)
        if let refusal = support.refusal(of: experiment, in: choice) { throw refusal }
        return choice
    }

    /// The objects that it takes; one of nil is as the manifest says.
    private func parts(
        of experiment: Experiment, _ choice: PodChoice, _ all: [PodFacts]
    ) throws(Refusal) -> [NetworkPart?] {
        try NetworkPart.parts(of: experiment, choice, all: all, calls: calls, namespace: api.access.namespace) ?? [nil]
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

    private func plan(
        _ experiment: Experiment, _ choice: PodChoice, _ parts: [NetworkPart?], _ all: [PodFacts]
    ) -> FaultPlan {
        FaultPlan(
            replicas: choice.pods.map(\.name),
            places: FaultPlaces(outside: Self.outside).places(of: experiment.spec, choice, all: all),
            steps: parts.map { part in
                let pods = part?.isReversed == true ? choice.targets ?? [] : choice.pods
                let besides = part?.reason.map { "; \($0)" } ?? ""
                return .init(
                    location: "Chaos Mesh, namespace \(api.access.namespace)",
                    action: "create \(experiment.kind) \(experiment.name)-*: \(experiment.effectiveDoseText), in "
                        + pods.map(\.name).joined(separator: ", ") + besides,
                    undo: "delete it, and wait until it is gone")
            })
    }

    /// Looks whether a run of it can begin now: API server, Chaos Mesh, rights, pods. For an answer before the run.
    ///
    /// - Throws: ``Refusal`` or ``ClusterError``.
    public func preflight(_ experiment: Experiment) async throws {
        if let refusal = refusal(of: experiment) { throw refusal }
        let all = try await pods.refresh().pods
        if experiment.spec.selection != nil {
            let choice = try chosen(experiment, from: all, seed: nil)
            _ = try parts(of: experiment, choice, all)
        }
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
        let choice = try chosen(experiment, from: all, seed: seed)
        var inForce: [InjectedChaos] = []
        do {
            for part in try parts(of: experiment, choice, all) {
                let fault = injected(
                    experiment, kind, runID: runID, lasting: lasting, choice, part, all)
                try await inject(fault, runID: runID)
                inForce.append(fault)
            }
        } catch {
            throw await takenBack(inForce, after: error)
        }
        return inForce.count == 1 ? inForce[0] : JoinedChaos(parts: inForce)
    }

    /// One object of it, not made yet.
    private func injected(
        _ experiment: Experiment, _ kind: ChaosKind, runID: String, lasting: Duration, _ choice: PodChoice,
        _ part: NetworkPart?, _ all: [PodFacts]
    ) -> InjectedChaos {
        let timing = api.timing
        let manifest = ChaosManifest(
            experiment, kind: kind, runID: runID, namespace: api.access.namespace, choice: choice, part: part,
            duration: lasting + timing.injection + timing.margin,
            leaseEnd: LeaseSweep.leaseEnd(timing, after: api.clock.now))
        return InjectedChaos(
            experiment: experiment, manifest: manifest, choice: choice, plan: plan(experiment, choice, [part], all),
            desk: desk, leases: leases)
    }

    private func inject(_ fault: InjectedChaos, runID: String) async throws {
        let manifest = fault.manifest
        do {
            try await put(fault, manifest.kind, manifest.name, manifest.body, runID: runID) { object in
                fault.created(object)
                try await desk.waitForInjection(object, kind: manifest.kind, pods: fault.choice.names)
                try await fault.waitUntilDown()
                fault.inForce()
            }
        } catch let error as ClusterError {
            guard let reason = fault.forcedReason else { throw error }
            throw ClusterError(
                error.kind, "\(error.detail) [its finalizers were given up: \(reason)]", remedy: error.remedy)
        }
    }

    /// What of a fault is in force goes when the rest does not come.
    ///
    /// - Returns: the error to throw.
    private func takenBack(_ inForce: [InjectedChaos], after error: any Error) async -> any Error {
        var (left, removal): ([any InjectedFault], (any Error)?) = ([], nil)
        if let behind = error as? FaultLeftBehind { (left, removal) = ([behind.fault], behind.removal) }
        for fault in inForce {
            do {
                try await fault.remove()
            } catch {
                left.append(fault)
                removal = error
            }
        }
        guard let removal else { return error }
        return FaultLeftBehind(
            fault: left.count == 1 ? left[0] : JoinedChaos(parts: left),
            injection: (error as? FaultLeftBehind)?.injection ?? error, removal: removal)
    }

    /// Has Chaos Mesh itself run a workflow or a schedule; in force means that its controller has taken it up.
    private func injectWhole(
        _ experiment: Experiment, _ kind: ChaosKind, runID: String, lasting: Duration
    ) async throws -> any InjectedFault {
        let manifest = WholeManifest(
            experiment, kind: kind, runID: runID, namespace: api.access.namespace, duration: lasting,
            leaseEnd: LeaseSweep.leaseEnd(api.timing, after: api.clock.now))
        let fault = WholeTimeline(experiment: experiment, manifest: manifest, desk: desk, leases: leases)
        try await put(fault, kind, manifest.name, manifest.body, runID: runID) { object in
            fault.created(object)
            try await desk.waitForTakeUp(object, kind: kind)
        }
        return fault
    }

    /// Creates the object of `fault` and does with it what `body` says; takes it back when that fails.
    private func put(
        _ fault: any InjectedFault, _ kind: ChaosKind, _ name: String, _ object: JSONValue, runID: String,
        _ body: (ChaosObject) async throws -> Void
    ) async throws {
        var isThere = true
        do {
            let made: ChaosObject
            do {
                // A request that is cancelled half-way may be carried out later, and what it has made would be missed by
                // the removal.
                made = try await uncancelled { try await desk.create(kind, name, object, runID: runID) }
            } catch {
                isThere = ChaosDesk.mayBeThere(error)
                throw error
            }
            try await body(made)
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
