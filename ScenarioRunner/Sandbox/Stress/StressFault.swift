import Experiments
import Glibc
import Shared

/// Stress on the processors, the memory or the disk of replicas: real work by worker processes in the replicas' places.
///
/// ```
///   apply --> for each target: workers, started inside its control group or pinned beside it
///         --> wait until each one burns, holds its share, or has made an fsync
///   undo  --> end of the lifeline, SIGTERM; 1 s later SIGKILL; wait until all are gone
/// ```
///
/// A worker that the kernel kills for memory is no failure of the fault but what it set out to show; such kills are
/// counted in the reading. Any other end of a worker takes the fault away.
public actor StressFault: LabFault {
    /// One replica to be stressed.
    public struct Target: Sendable, Equatable {
        public let replica: String
        public let placement: Placement

        public init(replica: String, placement: Placement) {
            self.replica = replica
            self.placement = placement
        }
    }

    private struct Worker {
        let target: Target
        /// Bytes it is to hold; 0 for a worker that burns.
        let bytes: UInt64
        var process: ChildProcess

        var wasKilledForMemory: Bool { process.exit == .signal(SIGKILL) && !process.wasSignalled }
    }

    /// The most workers of one fault, over all its targets: more would stress the machine, not the replicas.
    public static let maximumWorkers = 512
    /// How long the workers may take to come up to the load asked, and to prove it again.
    static let timeToTakeEffect = Duration.seconds(30)
    /// The share of its bytes that a worker must hold: the kernel may have taken back a few pages.
    static let enoughMemory = 0.9

    public nonisolated let summary: String
    /// What each target gets.
    private nonisolated let load: String
    private let id: String
    private let targets: [Target]
    private let spec: StressSpec
    private let workerCommand: [String]
    private let lifetime: Duration
    private let logFile: String?
    private var workers: [Worker] = []
    private var lifeline: Lifeline?
    private var tally: DiskTally?
    private var killsBefore = 0
    private var start: (time: ContinuousClock.Instant, burnt: Duration, written: [DiskCount])?
    private var end: ContinuousClock.Instant?

    public nonisolated var steps: [FaultPlan.Step] {
        targets.map {
            .init(
                location: $0.replica, action: "start workers beside its process: \(load)",
                undo: "end the workers: their pipe closes, SIGTERM, 1 s later SIGKILL")
        }
    }

    /// - Parameters:
    ///   - id: names the fault in errors: the run and the experiment.
    ///   - workerCommand: what the worker's arguments are put behind: `<scenario-runner> stress-worker`.
    ///   - lifetime: after this time the workers end by themselves, whatever happened to the runner.
    ///   - logFile: takes what the workers say; nil throws it away.
    public init(
        id: String, targets: [Target], spec: StressSpec, workerCommand: [String],
        lifetime: Duration = .seconds(3600), logFile: String? = nil
    ) {
        precondition(spec.workers >= 1 && !targets.isEmpty, "stress needs a worker and a target")
        self.id = id
        self.targets = targets
        self.spec = spec
        self.workerCommand = workerCommand
        self.lifetime = lifetime
        self.logFile = logFile
        load =
            switch spec {
            case .cpu(let workers, let loadPercent): "\(workers) x \(loadPercent) % cpu"
            case .memory(let workers, let bytes, _): "\(bytes) bytes of memory by \(workers) workers"
            case .disk(let workers, let bytes, _): "\(bytes) bytes written and synced by \(workers) workers"
            }
        summary = "\(load) on \(targets.map(\.replica).joined(separator: ","))"
    }

    public func apply() async throws {
        // A second call begins anew.
        try await undo()
        (workers, start, end) = ([], nil, nil)
        do {
            try await spawnWorkers()
            try await wait { try $0.hasTakenEffect() }
            await FaultHook.reached(.stressTookEffect)
        } catch {
            try await undo()
            throw error
        }
        start = (.now, burnt, written)
    }

    public func verify() async throws {
        guard !workers.isEmpty else { throw StressError.notApplied(fault: id) }
        let (burntBefore, writtenBefore) = (burnt, written)
        try await wait { fault in
            guard try fault.hasTakenEffect() else { return false }
            switch fault.spec {
            case .cpu: return fault.spec.askedCores == 0 || fault.burnt > burntBefore
            case .memory: return true
            case .disk: return zip(writtenBefore, fault.written).allSatisfy { $0.fsyncs < $1.fsyncs }
            }
        }
    }

    public func reading() throws -> DoseReading {
        poll()
        if start != nil, end == nil { try checkThatWorkersLive() }
        return measured
    }

    private func checkThatWorkersLive() throws {
        let ended = workers.filter { $0.process.exit != nil }
        // Who holds no memory is not killed for it; and the count of such kills is the whole machine's.
        let isForMemory = if case .memory = spec { true } else { false }
        if let other = ended.first(where: { !isForMemory || !$0.wasKilledForMemory }), let exit = other.process.exit {
            throw FaultVanished(fault: summary, cause: "a worker of \(other.target.replica) ended with \(exit)")
        }
        guard ended.count <= outOfMemoryKills - killsBefore else {
            throw FaultVanished(fault: summary, cause: "a worker was killed by someone else")
        }
    }

    private var measured: DoseReading {
        switch spec {
        case .cpu:
            // Nothing counts before the fault was in force.
            let burnt = start.map { self.burnt - $0.burnt } ?? .zero
            let wall = start.map { (end ?? .now) - $0.time } ?? .zero
            return .cpu(
                askedCores: spec.askedCores * Double(targets.count), attainableCores: attainableCores,
                burntSeconds: max(0, burnt / .seconds(1)), wallSeconds: wall / .seconds(1))
        case .memory(_, let bytes, _):
            return .memory(
                askedBytes: bytes * UInt64(targets.count),
                heldBytes: workers.reduce(0) { $0 + $1.process.anonymousBytes },
                outOfMemoryKills: workers.count(where: \.wasKilledForMemory))
        case .disk:
            let done = start.map { zip(written, $0.written).map(-) } ?? []
            return .disk(
                DiskReading(
                    workers: targets.count * spec.workers, idleWorkers: done.count { $0.fsyncs == 0 },
                    fsyncs: done.reduce(0) { $0 + $1.fsyncs }, bytes: done.reduce(0) { $0 + $1.bytes },
                    wallSeconds: (start.map { (end ?? .now) - $0.time } ?? .zero) / .seconds(1)))
        }
    }

    public func undo() async throws {
        try await uncancelled { try await self.endWorkers() }
    }

    private func endWorkers() async throws {
        lifeline = nil
        signal(SIGTERM)
        await FaultHook.reached(.stressWorkersTold)
        if end == nil { end = .now }
        if try await !allEnd(within: .seconds(1)) {
            signal(SIGKILL)
            guard try await allEnd(within: .seconds(5)) else {
                throw StressError.notGone(fault: id, pids: workers.filter { $0.process.exit == nil }.map(\.process.pid))
            }
        }
        await FaultHook.reached(.stressWorkersEnded)
        if case .disk(_, _, let folder) = spec { try DiskWork.removeLeftovers(in: folder) }
    }

    private func spawnWorkers() async throws {
        guard targets.count * spec.workers <= Self.maximumWorkers else {
            throw StressError.tooManyWorkers(asked: targets.count * spec.workers, most: Self.maximumWorkers)
        }
        let lifeline = try Lifeline()
        self.lifeline = lifeline
        if case .disk = spec { tally = try DiskTally() }
        killsBefore = outOfMemoryKills
        for target in targets {
            for index in 0..<spec.workers {
                let command =
                    workerCommand + spec.arguments(ofWorker: index, place: workers.count, lifetime: lifetime)
                let process = try ChildProcess(
                    target.placement.enter(command), input: lifeline.workersEnd, output: tally?.descriptor,
                    logFile: logFile)
                workers.append(Worker(target: target, bytes: spec.bytes(ofWorker: index), process: process))
                await FaultHook.reached(.stressWorkerStarted)
            }
        }
    }

    /// Whether every worker does what it is for.
    ///
    /// - Throws: when one has ended for another reason than memory.
    private func hasTakenEffect() throws -> Bool {
        poll()
        for (place, worker) in workers.enumerated() {
            if let exit = worker.process.exit {
                guard worker.wasKilledForMemory else {
                    throw StressError.workerEnded(fault: id, replica: worker.target.replica, exit: exit)
                }
                continue
            }
            switch spec {
            case .cpu(_, let loadPercent):
                // More than the worker's own start takes, and less for a small load.
                guard worker.process.processorTime >= .milliseconds(loadPercent) / 2 else { return false }
            case .memory:
                let held = Double(worker.process.anonymousBytes)
                guard held >= Double(worker.bytes) * Self.enoughMemory else { return false }
            case .disk:
                guard let tally, tally.count(of: place).fsyncs > 0 else { return false }
            }
        }
        return true
    }

    private func wait(until condition: (isolated StressFault) throws -> Bool) async throws {
        let deadline = ContinuousClock.now + Self.timeToTakeEffect
        while try !condition(self) {
            guard ContinuousClock.now < deadline else {
                throw StressError.noEffect(fault: id, after: Self.timeToTakeEffect, reading: "\(measured)")
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    private func allEnd(within limit: Duration) async throws -> Bool {
        let deadline = ContinuousClock.now + limit
        while true {
            poll()
            if workers.allSatisfy({ $0.process.exit != nil }) { return true }
            guard ContinuousClock.now < deadline else { return false }
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    private func poll() {
        for index in workers.indices { workers[index].process.poll() }
    }

    private func signal(_ signal: CInt) {
        for index in workers.indices { workers[index].process.send(signal) }
    }

    private var written: [DiskCount] { workers.indices.map { tally?.count(of: $0) ?? DiskCount() } }

    /// How many processes the kernel has killed for memory in the places of the targets.
    private var outOfMemoryKills: Int {
        let groups = targets.compactMap { if case .group(let group) = $0.placement { group } else { nil } }
        let machine = groups.count < targets.count ? ProcessStat.outOfMemoryKills() : 0
        return groups.reduce(machine) { $0 + $1.outOfMemoryKills() }
    }

    private var burnt: Duration { workers.reduce(.zero) { $0 + $1.process.processorTime } }

    private var attainableCores: Double {
        StressSpec.attainableCores(
            askedPerTarget: spec.askedCores, placements: targets.map(\.placement),
            processors: Pinning.allowedProcessors().count)
    }
}

/// Why a stress fault is not in force, or not gone.
public enum StressError: Error, Equatable, CustomStringConvertible {
    case notApplied(fault: String)
    case tooManyWorkers(asked: Int, most: Int)
    case workerEnded(fault: String, replica: String, exit: ReplicaExit)
    case noEffect(fault: String, after: Duration, reading: String)
    case notGone(fault: String, pids: [Int32])

    public var description: String {
        switch self {
        case .notApplied(let fault): "\(fault): no stress worker was started"
        case .tooManyWorkers(let asked, let most):
            "\(asked) stress workers asked, at most \(most) allowed; lower `workers` or select fewer replicas"
        case .workerEnded(let fault, let replica, let exit):
            "\(fault): a stress worker of \(replica) ended with \(exit); the stress log says why"
        case .noEffect(let fault, let time, let reading):
            "\(fault): the stress was not in force after \(time): \(reading)"
        case .notGone(let fault, let pids): "\(fault): stress workers \(pids) do not end, not even by SIGKILL"
        }
    }
}
