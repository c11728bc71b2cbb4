import Experiments
import Glibc
import Shared
import Synchronization
import SystemPackage

/// Delays, loses, repeats, damages, reorders or slows down real packets on chosen paths through the router.
///
/// ```
///   prerouting: mark the path's packets --> ip rule, table --> impair-in-7.0 (one a sender)
///   path-worker: netem's arithmetic, token bucket          --> impair-out-7 --> forward, as if nothing had been
/// ```
///
/// It is used on every kernel, also where netem exists: netem does not tell how many packets it delayed, repeated or
/// damaged, and a dose that cannot be verified is none.
///
/// * The mark is set after virtual addresses are translated, the same by all paths of a sender. What comes back from
///   the worker is not tracked again, or it would be a second connection and be translated twice; replies are
///   translated back on their way to the worker.
/// * Each sender has a queue of its own, as netem on its network card: replies carry the service's virtual address by
///   then, so they come through a device for each sender.
/// * What the router itself sends or gets is spared, as by ``PacketLossFault``.
/// * When the worker dies its devices go, and with them the routes: packets take the ordinary way again, and the next
///   reading says so.
public actor PathImpairmentFault: LabFault {
    static let timeToStart = Duration.seconds(10)
    /// Delays are drawn so often to know their mean.
    static let expectedFrom = 1 << 16
    /// The kernel's queue before the worker: as long as netem's own, and not the 500 of a TUN device.
    static let deviceQueue = 2 * NetemQueue.defaultLimit
    private static let lastNumber = Atomic<Int>(0)

    public nonisolated let summary: String
    nonisolated let table: String
    nonisolated let number: Int
    nonisolated let lanes: [[PacketPath]]
    private let impairment: Impairment
    private let seed: UInt64
    private let workerCommand: [String]
    private let lifetime: Duration
    private let logFile: String?
    private let expectedDelay: (meanMs: Double, deviationMs: Double)
    private var worker: ChildProcess?
    private var lifeline: Lifeline?
    private var ledger: PathLedger?

    /// - Parameters:
    ///   - id: the run; names the nft table.
    ///   - seed: decides which packets are chosen, and the delays.
    ///   - workerCommand: what the worker's arguments are put behind: `<scenario-runner> path-worker`.
    ///   - lifetime: after this time the worker ends by itself, whatever happened to the runner.
    ///   - logFile: takes what the worker says; nil throws it away.
    /// - Throws: ``InvalidFault``.
    public init(
        id: String, paths: PacketPaths, impairment: Impairment, seed: UInt64, workerCommand: [String],
        lifetime: Duration = .seconds(3600), logFile: String? = nil
    ) throws {
        guard !id.isEmpty else { throw InvalidFault(detail: "a fault needs the id of its run") }
        try impairment.validate()
        lanes = paths.pathsBySender
        guard lanes.count <= PathDevices.maximumLanes else {
            throw InvalidFault(detail: "\(lanes.count) senders are more than \(PathDevices.maximumLanes)")
        }
        // Far fewer are in force at a time than there are numbers.
        number = PathDevices.number(Self.lastNumber.wrappingAdd(1, ordering: .relaxed).newValue)
        table = PacketPaths.tableName("chaos_path_", id: id)
        summary = "\(impairment.text) \(paths.text)"
        self.impairment = impairment
        self.seed = seed
        self.workerCommand = workerCommand
        self.lifetime = lifetime
        self.logFile = logFile
        expectedDelay =
            impairment.delay.map { DelayDraw.expectation($0, draws: Self.expectedFrom) } ?? (meanMs: 0, deviationMs: 0)
    }

    public nonisolated var steps: [FaultPlan.Step] {
        [
            .init(
                location: "router: nft table ip \(table), and a worker behind TUN devices", action: summary,
                undo: "nft delete table ip \(table); the worker ends with its pipe, and its devices with it")
        ]
    }

    public func apply() async throws {
        // A second call begins anew.
        try await undo()
        do {
            try await startWorker()
            await FaultHook.reached(.pathDevicesMade)
            try await CommandLineTool.run("ip", ["-batch", "-"], input: routing)
            await FaultHook.reached(.pathRouted)
            // Last, so that no packet is led where nobody waits.
            try await CommandLineTool.run("nft", ["-f", "-"], input: script)
            await FaultHook.reached(.pathTableWritten)
        } catch {
            try await undo()
            throw error
        }
    }

    public func verify() async throws {
        guard let ledger, worker != nil else { throw FaultVanished(fault: summary, cause: "it is not applied") }
        worker?.poll()
        if let exit = worker?.exit {
            throw FaultVanished(fault: summary, cause: "its worker ended with \(exit), and no packet was touched since")
        }
        guard ledger.state == .ready else { throw FaultMismatch(fault: summary, detail: "its worker is not ready") }
        try await checkRules()
    }

    public func readings() async throws -> [DoseReading] {
        try await verify()
        return impairment.readings(of: counters, expectedDelay)
    }

    public func reading() async throws -> DoseReading {
        guard let first = try await readings().first else { throw FaultVanished(fault: summary) }
        return first
    }

    /// What the worker has done so far, or had done at its end.
    var counters: PathCounters {
        var counters = ledger?.counters ?? PathCounters()
        counters.overLimit += PathDevices.droppedBeforeWorker(number)
        return counters
    }

    /// The worker, for tests that take it away.
    var workerProcess: pid_t? { worker?.pid }

    public func undo() async throws {
        try await uncancelled { try await self.takeAway() }
    }

    private func takeAway() async throws {
        // First, so that no more packets are led where soon nobody waits.
        try await CommandLineTool.run("nft", ["-f", "-"], input: "table ip \(table)\ndelete table ip \(table)\n")
        await FaultHook.reached(.pathTableDeleted)
        // The kernel takes its time over a worker's devices.
        async let rulesAreGone: Void = removeRules()
        try await endWorker()
        try await rulesAreGone
        await FaultHook.reached(.pathWorkerEnded)
        try await checkAbsence()
    }

    private func removeRules() async throws {
        let rules = try await ownRules()
        if !rules.isEmpty { try await CommandLineTool.run("ip", ["-batch", "-"], input: removal(of: rules)) }
        await FaultHook.reached(.pathRoutesDeleted)
    }

    private func startWorker() async throws {
        let lifeline = try Lifeline()
        let ledger = try PathLedger()
        let arguments = try PathWorkerArguments(
            number: number, lanes: lanes.count, impairment: impairment, seed: seed, lifetime: lifetime
        ).list
        worker = try ChildProcess(
            workerCommand + arguments, input: lifeline.workersEnd, output: ledger.descriptor, logFile: logFile)
        (self.lifeline, self.ledger) = (lifeline, ledger)
        await FaultHook.reached(.pathWorkerStarted)
        let deadline = ContinuousClock.now + Self.timeToStart
        while ledger.state != .ready {
            if ledger.state == .failed { throw PathWorkerFailed.devices(ledger.error) }
            worker?.poll()
            if let exit = worker?.exit { throw PathWorkerFailed.ended(exit) }
            guard ContinuousClock.now < deadline else { throw PathWorkerFailed.notReady(after: Self.timeToStart) }
            try await Task.sleep(for: .milliseconds(2))
        }
    }

    private func endWorker() async throws {
        lifeline = nil
        if try await !workerEnds(within: .seconds(1)) {
            worker?.send(SIGKILL)
            guard try await workerEnds(within: .seconds(5)) else {
                throw FaultMismatch(fault: summary, detail: "its worker does not end, not even by SIGKILL")
            }
        }
        worker = nil
    }

    private func workerEnds(within limit: Duration) async throws -> Bool {
        let deadline = ContinuousClock.now + limit
        while true {
            worker?.poll()
            if worker == nil || worker?.exit != nil { return true }
            guard ContinuousClock.now < deadline else { return false }
            try await Task.sleep(for: .milliseconds(2))
        }
    }
}

/// Why a path's worker does not work.
public enum PathWorkerFailed: Error, Equatable, CustomStringConvertible {
    case devices(Errno)
    case ended(ReplicaExit)
    case notReady(after: Duration)

    public var description: String {
        switch self {
        case .devices(let error): "TUN devices cannot be made: \(error); \(TunDevice.remedy)"
        case .ended(let exit): "the worker of a path ended with \(exit) before it was ready"
        case .notReady(let time): "the worker of a path was not ready after \(time)"
        }
    }
}
