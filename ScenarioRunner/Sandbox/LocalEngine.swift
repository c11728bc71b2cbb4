import Experiments
import Shared

/// Runs experiments on the replicas of this machine.
///
/// ```
///   manifest --selectors, mode, seed--> replicas --> LabFault, one or two --apply, verify--> InjectedFault
/// ```
public struct LocalEngine: ChaosEngine {
    private let topology: LabTopology
    private let hasNetwork: Bool
    private let placements: [String: Placement]
    private let workerCommand: [String]
    private let pathWorkerCommand: [String]
    private let dataFolder: String
    private let supervisor: Supervisor

    /// - Parameters:
    ///   - hasNetwork: whether the replicas are hosts behind a router; without, network faults are refused.
    ///   - placements: where each replica's processes live, by the replica's name; stress joins them there.
    ///   - workerCommand: starts a stress worker; see ``StressFault``.
    ///   - pathWorkerCommand: starts a path's worker; see ``PathImpairmentFault``.
    ///   - dataFolder: where the replicas keep their data; disk stress writes there.
    ///   - supervisor: runs the replicas; kills are ordered from it, and it tells their phases.
    public init(
        topology: LabTopology, hasNetwork: Bool, placements: [String: Placement], workerCommand: [String],
        pathWorkerCommand: [String], dataFolder: String, supervisor: Supervisor
    ) {
        self.topology = topology
        self.hasNetwork = hasNetwork
        self.placements = placements
        self.workerCommand = workerCommand
        self.pathWorkerCommand = pathWorkerCommand
        self.dataFolder = dataFolder
        self.supervisor = supervisor
    }

    public var name: String { hasNetwork ? "lab" : "plain" }

    public func refusal(of experiment: Experiment) -> Refusal? {
        if let refusal = LabSupport.refusal(of: experiment) ?? containerRefusal(of: experiment) { return refusal }
        guard case .network(let network) = experiment.spec else { return nil }
        guard hasNetwork else {
            return experiment.refusal(
                "kind", "network faults need the lab's private network: start the lab without --plain")
        }
        for (index, target) in network.externalTargets.enumerated() {
            do {
                _ = try topology.reach(target)
            } catch {
                let reason = (error as? UnreachableTarget)?.reason ?? "\(error)"
                return experiment.refusal("spec.externalTargets[\(index)]", reason)
            }
        }
        guard let impairment = network.impairment else { return nil }
        do {
            try impairment.validate()
        } catch {
            return experiment.refusal("spec.\(network.action.rawValue)", "\(error)")
        }
        return TunDevice.obstacle().map { obstacle in
            experiment.refusal(
                "spec.action", "needs a TUN device: \(obstacle.reason); \(obstacle.remedy)")
        }
    }

    /// A replica is one container, named as its service or its tier. A fault on another one would hit nothing.
    private func containerRefusal(of experiment: Experiment) -> Refusal? {
        let (selection, names): (ReplicaSelection, [String])
        switch experiment.spec {
        case .stress(let spec): (selection, names) = (spec.target, spec.containerNames)
        case .pod(let spec): (selection, names) = (spec.target, spec.containerNames)
        default: return nil
        }
        for replica in topology.replicas where selection.selector.matches(facts(of: replica)) {
            let known = ["\(replica.tier)-service", replica.tier]
            guard let unknown = names.first(where: { !known.contains($0) }) else { continue }
            return experiment.refusal(
                "spec.containerNames",
                "\(replica.name) has no container '\(unknown)': its only one is '\(known[0])', "
                    + "or '\(known[1])' for short"
            )
        }
        return nil
    }

    public func plan(_ experiment: Experiment, seed: UInt64) throws -> FaultPlan {
        try injectedFault(of: experiment, runID: "plan", seed: seed).plan
    }

    public func inject(_ experiment: Experiment, runID: String, seed: UInt64) async throws -> any InjectedFault {
        let injected = try injectedFault(of: experiment, runID: runID, seed: seed)
        do {
            try await injected.apply()
        } catch let injection {
            do {
                try await injected.remove()
            } catch let removal {
                throw FaultLeftBehind(fault: injected, injection: injection, removal: removal)
            }
            throw injection
        }
        return injected
    }

    private func injectedFault(
        of experiment: Experiment, runID: String, seed: UInt64
    ) throws -> InjectedLabFault {
        if let refusal = refusal(of: experiment) { throw refusal }
        var generator = SeededGenerator(seed: seed, purpose: "selection")
        switch experiment.spec {
        case .network(let spec):
            return try network(spec, in: experiment, runID: runID, &generator)
        case .stress(let spec):
            let targets = try choose(spec.target, "spec.selector", in: experiment, &generator)
            return InjectedLabFault(
                faults: try stress(spec, in: experiment, targets: targets, runID: runID),
                summary: "\(experiment.effectiveDoseText) (\(Self.names(targets)))",
                replicas: targets.map(\.name), places: Set(targets.map { .replica($0.name) }))
        case .pod(let spec):
            let targets = try choose(spec.target, "spec.selector", in: experiment, &generator)
            return InjectedLabFault(
                faults: [try pod(spec, targets.map(\.name))],
                summary: "\(experiment.effectiveDoseText) (\(Self.names(targets)))",
                replicas: targets.map(\.name), places: Set(targets.map { .replica($0.name) }))
        default:
            throw experiment.refusal("kind", "the local lab does not run \(experiment.kind) yet")
        }
    }

    private static func names(_ replicas: [LabTopology.Replica]) -> String {
        replicas.map(\.name).joined(separator: ", ")
    }

    private func network(
        _ spec: NetworkChaosSpec, in experiment: Experiment, runID: String, _ generator: inout SeededGenerator
    ) throws -> InjectedLabFault {
        let sources = try choose(spec.source, "spec.selector", in: experiment, &generator)
        let targets = try spec.target.map { try choose($0, "spec.target.selector", in: experiment, &generator) }
        // A Service beside its own pods would have their packets drawn for twice.
        let reached = try spec.otherExternalTargets.map(topology.reach)
        var ends = try targets.map { [try PacketEnd($0.map(\.address))] } ?? []
        for end in reached.flatMap(\.ends) { ends.join(end) }
        let others = (targets?.map(\.name) ?? []) + reached.flatMap(\.hosts)
        let isAnywhere = targets == nil && reached.isEmpty
        let places = paths(spec.direction, sources.map(\.name), isAnywhere ? everyHost : others)
        for (target, place) in zip(spec.otherExternalTargets, reached)
        where paths(spec.direction, sources.map(\.name), place.hosts).isEmpty {
            let index = spec.externalTargets.firstIndex(of: target).map { "[\($0)]" } ?? ""
            throw experiment.refusal(
                "spec.externalTargets\(index)",
                "is \(Self.names(sources)) itself: its packets to itself never leave it")
        }
        let fault = try networkFault(
            spec, PacketPaths(sources: sources.map(\.address), ends: isAnywhere ? nil : ends, direction: spec.side),
            runID: runID, seed: generator.next())
        let names = isAnywhere ? "everyone" : everyHost.filter(others.contains).joined(separator: ", ")
        return InjectedLabFault(
            faults: [fault], summary: "\(experiment.effectiveDoseText) (\(Self.names(sources)) and \(names))",
            replicas: sources.map(\.name), places: places)
    }

    private var everyHost: [String] { topology.replicas.map(\.name) + [LabTopology.clientHost] }

    /// Every way that a packet at risk may take.
    private func paths(
        _ direction: NetworkChaosSpec.Direction, _ sources: [String], _ others: [String]
    ) -> Set<FaultPlan.Place> {
        var paths: Set<FaultPlan.Place> = []
        for source in sources {
            for other in others where other != source {
                if direction != .from { paths.insert(.path(from: source, to: other)) }
                if direction != .to { paths.insert(.path(from: other, to: source)) }
            }
        }
        return paths
    }

    /// Plain loss and partition need no more than nft; all else goes through a path's worker.
    private func networkFault(
        _ spec: NetworkChaosSpec, _ paths: PacketPaths, runID: String, seed: UInt64
    ) throws -> any LabFault {
        if let impairment = spec.impairment {
            return try PathImpairmentFault(
                id: runID, paths: paths, impairment: impairment, seed: seed, workerCommand: pathWorkerCommand)
        }
        let share = spec.action == .partition ? PacketLossFault.wholeBasisPoints : spec.loss?.loss.basisPoints ?? 0
        return try PacketLossFault(id: runID, paths: paths, lossBasisPoints: share)
    }

    /// - Throws: ``Refusal`` when it is more than this machine can give without harm.
    private func stress(
        _ spec: StressChaosSpec, in experiment: Experiment, targets: [LabTopology.Replica], runID: String
    ) throws -> [any LabFault] {
        let places = targets.compactMap { replica in
            placements[replica.name].map {
                StressPlan.Place(
                    target: StressFault.Target(replica: replica.name, placement: $0),
                    memoryLimit: ($0.limits ?? supervisor.limits(of: replica.name))?.memoryBytes)
            }
        }
        let words = spec.stressngStressors == nil ? nil : "spec.stressngStressors"
        do {
            let plan = StressPlan(machine: try .current(diskOf: dataFolder), dataFolder: dataFolder)
            return try plan.parts(of: spec.resolvedLoad(), in: places).map {
                StressFault(id: runID, targets: $0.targets, spec: $0.spec, workerCommand: workerCommand)
            }
        } catch let excess as StressPlan.Excess {
            throw experiment.refusal(words ?? "spec.stressors.\(excess.field)", excess.reason)
        }
    }

    /// A replica has one container, so that killing it is killing the replica: at once, as Chaos Mesh does.
    private func pod(_ spec: PodChaosSpec, _ replicas: [String]) throws -> any LabFault {
        switch spec.action {
        case .podKill:
            try PodKillFault(replicas: replicas, grace: .seconds(spec.gracePeriod), supervisor: supervisor)
        case .containerKill: try PodKillFault(replicas: replicas, grace: .zero, supervisor: supervisor)
        case .podFailure: try PodFailureFault(replicas: replicas, supervisor: supervisor)
        }
    }

    /// - Throws: ``Refusal`` when nothing is selected: a fault without a target would be a success that is none.
    private func choose(
        _ selection: ReplicaSelection, _ field: String, in experiment: Experiment, _ generator: inout SeededGenerator
    ) throws -> [LabTopology.Replica] {
        let chosen = Set(selection.choose(from: topology.replicas.map(facts), using: &generator).map(\.name))
        guard !chosen.isEmpty else { throw experiment.refusal(field, "selects no replica of this lab") }
        return topology.replicas.filter { chosen.contains($0.name) }
    }

    private func facts(of replica: LabTopology.Replica) -> ReplicaFacts {
        ReplicaFacts(
            name: replica.name, namespace: LabTopology.namespace, labels: replica.labels,
            phase: supervisor.status(of: replica.name)?.state == .up ? "Running" : "Pending")
    }
}

extension NetworkChaosSpec {
    fileprivate var side: PacketPaths.Direction {
        switch direction {
        case .to: .to
        case .from: .from
        case .both: .both
        }
    }
}

/// One experiment in force: one fault, or several that come and go together.
private struct InjectedLabFault: InjectedFault {
    let faults: [any LabFault]
    let summary: String
    let replicas: [String]
    let places: Set<FaultPlan.Place>

    var plan: FaultPlan { FaultPlan(replicas: replicas, places: places, steps: faults.flatMap(\.steps)) }

    /// A removal that fails is tried this often; the reason is mostly a tool that could not start on a loaded machine.
    static let removalAttempts = 3

    func apply() async throws {
        await FaultHook.reached(.chosen)
        for fault in faults { try await fault.apply() }
        await FaultHook.reached(.applied)
        for fault in faults { try await fault.verify() }
        await FaultHook.reached(.inForce)
    }

    func readings() async throws -> [DoseReading] {
        var readings: [DoseReading] = []
        for fault in faults { readings += try await fault.readings() }
        return readings
    }

    func remove() async throws {
        await FaultHook.reached(.leaving)
        // All parts go at once, for a stop is in a hurry.
        try await uncancelled { try await together(faults, Self.undo) }
        await FaultHook.reached(.gone)
    }

    @Sendable private static func undo(_ fault: any LabFault) async throws {
        for attempt in 1... {
            do {
                return try await fault.undo()
            } catch {
                if attempt == removalAttempts { throw error }
            }
        }
    }
}
