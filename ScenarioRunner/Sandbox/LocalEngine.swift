import Experiments

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
    private let isRunning: @Sendable (String) -> Bool

    /// - Parameters:
    ///   - hasNetwork: whether the replicas are hosts behind a router; without, network faults are refused.
    ///   - placements: where each replica's processes live, by the replica's name; stress joins them there.
    ///   - workerCommand: starts a stress worker; see ``StressFault``.
    ///   - pathWorkerCommand: starts a path's worker; see ``PathImpairmentFault``.
    ///   - isRunning: whether the replica of that name has a process now, for selectors by phase.
    public init(
        topology: LabTopology, hasNetwork: Bool, placements: [String: Placement], workerCommand: [String],
        pathWorkerCommand: [String], isRunning: @escaping @Sendable (String) -> Bool
    ) {
        self.topology = topology
        self.hasNetwork = hasNetwork
        self.placements = placements
        self.workerCommand = workerCommand
        self.pathWorkerCommand = pathWorkerCommand
        self.isRunning = isRunning
    }

    public var name: String { hasNetwork ? "lab" : "plain" }

    public func refusal(of experiment: Experiment) -> Refusal? {
        if let refusal = LabSupport.refusal(of: experiment) { return refusal }
        guard case .network(let network) = experiment.spec else { return nil }
        guard hasNetwork else {
            return experiment.refusal(
                "kind", "network faults need the lab's private network: start the lab without --plain")
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

    public func inject(_ experiment: Experiment, runID: String, seed: UInt64) async throws -> any InjectedFault {
        if let refusal = refusal(of: experiment) { throw refusal }
        var generator = SeededGenerator(seed: seed, purpose: "selection")
        let injected = try injectedFault(of: experiment, runID: runID, &generator)
        do {
            try await injected.apply()
        } catch {
            try await injected.remove()
            throw error
        }
        return injected
    }

    private func injectedFault(
        of experiment: Experiment, runID: String, _ generator: inout SeededGenerator
    ) throws -> InjectedLabFault {
        switch experiment.spec {
        case .network(let spec):
            let sources = try choose(spec.source, "spec.selector", in: experiment, &generator)
            let targets = try spec.target.map { try choose($0, "spec.target.selector", in: experiment, &generator) }
            let others = targets.map(Self.names) ?? "everyone"
            let fault = try networkFault(spec, sources, targets, runID: runID, seed: generator.next())
            return InjectedLabFault(
                faults: [fault],
                summary: "\(experiment.effectiveDoseText) (\(Self.names(sources)) and \(others))")
        case .stress(let spec):
            let targets = try choose(spec.target, "spec.selector", in: experiment, &generator)
            return InjectedLabFault(
                faults: stress(spec, targets: targets, runID: runID),
                summary: "\(experiment.effectiveDoseText) (\(Self.names(targets)))")
        default:
            throw experiment.refusal("kind", "the local lab does not run \(experiment.kind) yet")
        }
    }

    private static func names(_ replicas: [LabTopology.Replica]) -> String {
        replicas.map(\.name).joined(separator: ", ")
    }

    /// Plain loss and partition need no more than nft; all else goes through a path's worker.
    private func networkFault(
        _ spec: NetworkChaosSpec, _ sources: [LabTopology.Replica], _ targets: [LabTopology.Replica]?, runID: String,
        seed: UInt64
    ) throws -> any LabFault {
        let (sources, targets) = (sources.map(\.address), targets?.map(\.address))
        let direction: PacketPaths.Direction =
            switch spec.direction {
            case .to: .to
            case .from: .from
            case .both: .both
            }
        if let impairment = spec.impairment {
            return try PathImpairmentFault(
                id: runID, paths: PacketPaths(sources: sources, targets: targets, direction: direction),
                impairment: impairment, seed: seed, workerCommand: pathWorkerCommand)
        }
        let share = spec.action == .partition ? PacketLossFault.wholeBasisPoints : spec.loss?.loss.basisPoints ?? 0
        return try PacketLossFault(
            id: runID, sources: sources, targets: targets, direction: direction, lossBasisPoints: share)
    }

    private func stress(
        _ spec: StressChaosSpec, targets: [LabTopology.Replica], runID: String
    ) -> [any LabFault] {
        let places = targets.compactMap { replica in
            placements[replica.name].map { StressFault.Target(replica: replica.name, placement: $0) }
        }
        var specs: [StressSpec] = []
        if let cpu = spec.cpu { specs.append(.cpu(workers: cpu.workers, loadPercent: cpu.load)) }
        if let memory = spec.memory, case .bytes(let bytes) = memory.size {
            specs.append(.memory(workers: memory.workers, bytes: UInt64(bytes)))
        }
        return specs.map { StressFault(id: runID, targets: places, spec: $0, workerCommand: workerCommand) }
    }

    /// - Throws: ``Refusal`` when nothing is selected: a fault without a target would be a success that is none.
    private func choose(
        _ selection: ReplicaSelection, _ field: String, in experiment: Experiment, _ generator: inout SeededGenerator
    ) throws -> [LabTopology.Replica] {
        let facts = topology.replicas.map {
            ReplicaFacts(
                name: $0.name, namespace: LabTopology.namespace, labels: $0.labels,
                phase: isRunning($0.name) ? "Running" : "Pending")
        }
        let chosen = Set(selection.choose(from: facts, using: &generator).map(\.name))
        guard !chosen.isEmpty else { throw experiment.refusal(field, "selects no replica of this lab") }
        return topology.replicas.filter { chosen.contains($0.name) }
    }
}

/// One experiment in force: one fault, or several that come and go together.
private struct InjectedLabFault: InjectedFault {
    let faults: [any LabFault]
    let summary: String

    /// A removal that fails is tried this often; the reason is mostly a tool that could not start on a loaded machine.
    static let removalAttempts = 3

    func apply() async throws {
        for fault in faults { try await fault.apply() }
        for fault in faults { try await fault.verify() }
    }

    func readings() async throws -> [DoseReading] {
        var readings: [DoseReading] = []
        for fault in faults { readings += try await fault.readings() }
        return readings
    }

    func remove() async throws {
        var failure: (any Error)?
        for fault in faults {
            do {
                try await Self.undo(fault)
            } catch {
                failure = failure ?? error
            }
        }
        if let failure { throw failure }
    }

    private static func undo(_ fault: any LabFault) async throws {
        for attempt in 1... {
            do {
                return try await fault.undo()
            } catch {
                if attempt == removalAttempts { throw error }
            }
        }
    }
}
