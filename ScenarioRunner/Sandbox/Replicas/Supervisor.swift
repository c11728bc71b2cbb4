import Glibc
import Logging
import ServiceLifecycle
import Subprocess
import SystemPackage

/// Runs the lab's replicas and starts again what dies.
///
/// ```
///   run() --+-- payment-0:   spawn -> wait for its end -> back off -> spawn ...   (RestartPolicy)
///           +-- payment-1:   the same
///           +-- ...
///           '-- house-keeper: logs below their limit
///
///   graceful shutdown or cancellation --> SIGTERM to all, ``grace`` later SIGKILL, then run() returns
/// ```
///
/// Each replica leads a process group of its own, so that Ctrl-C on a terminal reaches the runner alone and the
/// lab ends in order.
public final class Supervisor: Service, Sendable {
    /// What all replicas together have from SIGTERM to SIGKILL.
    public static let grace = Duration.seconds(5)
    /// Kills ordered and not yet begun to be carried out; more than any lab has replicas.
    static let maximumKills = 1024

    private let commands: [ReplicaCommand]
    private let logger: Logger
    private let grace: Duration
    private let board: ReplicaBoard
    private let kills: AsyncStream<ReplicaKill>
    private let newKill: AsyncStream<ReplicaKill>.Continuation

    /// - Parameters:
    ///   - commands: one for each replica, of different names.
    ///   - seed: decides the jitter of the waits before restarts.
    public init(
        commands: [ReplicaCommand], logger: Logger, seed: UInt64 = 0, grace: Duration = Supervisor.grace
    ) {
        self.commands = commands
        self.logger = logger
        self.grace = grace
        board = ReplicaBoard(names: commands.map(\.name), seed: seed)
        (kills, newKill) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(Self.maximumKills))
    }

    /// All replicas, in the order of the commands.
    public func snapshot() -> [ReplicaStatus] { board.snapshot() }

    /// Sends `signal` to the process of one replica, as a fault does. The supervisor restarts what dies of it.
    ///
    /// - Throws: ``SupervisorError`` when there is no such replica, or no process of it at this moment.
    public func kill(_ name: String, signal: Int32) throws {
        guard commands.contains(where: { $0.name == name }) else { throw SupervisorError.unknown(name) }
        guard let process = board.process(of: name), process.send(signal) else {
            throw SupervisorError.noProcess(name)
        }
    }

    /// Ends the process of one replica and all that it has started, as Kubernetes ends a pod: SIGTERM, and SIGKILL
    /// after `grace`; SIGKILL at once without grace. The supervisor starts the replica again.
    ///
    /// - Throws: as ``kill(_:signal:)``.
    func end(_ name: String, grace: Duration) throws -> ReplicaKill {
        guard commands.contains(where: { $0.name == name }) else { throw SupervisorError.unknown(name) }
        let isPatient = grace > .zero
        guard let process = board.process(of: name), process.sendToGroup(isPatient ? SIGTERM : SIGKILL) else {
            throw SupervisorError.noProcess(name)
        }
        let kill = ReplicaKill(replica: name, process: process, deadline: .now + grace)
        if isPatient { newKill.yield(kill) }
        return kill
    }

    /// Ends the process of one replica and starts none until ``release(_:)``. Returns at once: the replica is down when
    /// its state is ``ReplicaState/held``. A second call changes nothing.
    ///
    /// - Throws: ``SupervisorError`` when there is no such replica.
    public func hold(_ name: String) throws {
        guard commands.contains(where: { $0.name == name }) else { throw SupervisorError.unknown(name) }
        if board.handle(.hold, of: name) == .end { _ = board.process(of: name)?.sendToGroup(SIGKILL) }
    }

    /// Lets a replica that is held run again, at once. Changes nothing where it is not held.
    ///
    /// - Throws: ``SupervisorError`` when there is no such replica.
    public func release(_ name: String) throws {
        guard commands.contains(where: { $0.name == name }) else { throw SupervisorError.unknown(name) }
        _ = board.handle(.release, of: name)
    }

    /// One replica at this moment; nil when there is none of that name.
    public func status(of name: String) -> ReplicaStatus? { board.status(of: name) }

    /// The limits that the supervisor itself holds a replica to; nil where it does not.
    func limits(of name: String) -> ResourceLimits? { commands.first { $0.name == name }?.limits }

    /// Runs until graceful shutdown or cancellation; after it no process is left.
    public func run() async throws {
        await cancelWhenGracefulShutdown {
            await withTaskGroup(of: Void.self) { group in
                for command in self.commands {
                    group.addTask { await self.keepRunning(command) }
                    if let limits = command.limits {
                        group.addTask { await self.hold(limits, on: command.name) }
                    }
                }
                group.addTask { await self.keepLogsShort() }
                group.addTask { await self.carryOutKills() }
            }
        }
    }

    private func keepRunning(_ command: ReplicaCommand) async {
        var action = board.handle(.start, of: command.name)
        while true {
            switch action {
            case .spawn:
                action = await runOnce(command)
            case .wait(let delay):
                log(restartOf: command.name, after: delay)
                // Cancellation cuts the wait short; the replica is then no longer wanted.
                await board.wait(for: command.name, atMost: delay)
                action = board.handle(Task.isCancelled ? .stop : .timer, of: command.name)
            case .waitForRelease:
                logger.warning("replica is held down by a fault", metadata: ["replica": "\(command.name)"])
                await board.wait(for: command.name, atMost: nil)
                action = board.handle(Task.isCancelled ? .stop : .timer, of: command.name)
            case .nothing, .end:
                return
            }
        }
    }

    /// Runs the process once, from its start to its end.
    private func runOnce(_ command: ReplicaCommand) async -> RestartPolicy.Action {
        let exit: ReplicaExit
        do {
            let log = try ReplicaLog(path: command.logFile).open()
            defer { try? log.close() }
            // Both by the same descriptor: `.combinedWithOutput` would leave a copy of it open for good, one a restart.
            let result = try await Subprocess.run(
                .path(FilePath(command.arguments[0])), arguments: Arguments(Array(command.arguments.dropFirst())),
                environment: Self.environment(command.environment), platformOptions: platformOptions, input: .none,
                output: .fileDescriptor(log, closeAfterSpawningProcess: false),
                error: .fileDescriptor(log, closeAfterSpawningProcess: false)
            ) { execution in
                let identifier = execution.processIdentifier
                let process = ReplicaProcess(pid: identifier.value, pidfd: identifier.processDescriptor)
                if self.board.started(process, of: command.name) == .end { _ = process.sendToGroup(SIGKILL) }
            }
            exit = ReplicaExit(result.terminationStatus)
        } catch {
            exit = .notStarted("\(error)")
        }
        if Task.isCancelled { _ = board.handle(.stop, of: command.name) }
        return board.exited(exit, of: command.name)
    }

    private var platformOptions: PlatformOptions {
        var options = PlatformOptions()
        options.processGroupID = 0
        // Carried out by Subprocess when the task is cancelled; SIGKILL is always its last step.
        options.teardownSequence = [.gracefulShutDown(toProcessGroup: true, allowedDurationToNextStep: grace)]
        return options
    }

    private static func environment(_ values: [String: String]) -> Environment {
        .custom(Dictionary(uniqueKeysWithValues: values.map { (Environment.Key(stringLiteral: $0.key), $0.value) }))
    }

    private func hold(_ limits: ResourceLimits, on name: String) async {
        let keeper = LimitKeeper(limits: limits) { self.board.process(of: name) }
        await keeper.run { held in
            self.logger.warning(
                "replica held more memory than its limit and was killed",
                metadata: ["replica": "\(name)", "held_bytes": "\(held)", "limit_bytes": "\(limits.memoryBytes)"])
        }
    }

    /// Gives each process that is to end its grace, and then no more.
    private func carryOutKills() async {
        await withDiscardingTaskGroup { group in
            for await kill in kills {
                group.addTask {
                    try? await Task.sleep(until: kill.deadline)
                    // At the end of the lab, all processes are ended in one order.
                    if !Task.isCancelled, kill.isDue { _ = kill.process.sendToGroup(SIGKILL) }
                }
            }
        }
    }

    private func keepLogsShort() async {
        while (try? await Task.sleep(for: .seconds(1))) != nil {
            for command in commands {
                do {
                    try ReplicaLog(path: command.logFile).rotateIfLong()
                } catch {
                    logger.warning("log not rotated", metadata: ["file": "\(command.logFile)", "error": "\(error)"])
                }
            }
        }
    }

    private func log(restartOf name: String, after delay: Duration) {
        guard let status = board.status(of: name) else { return }
        logger.warning(
            "replica ended, starting it again",
            metadata: [
                "replica": "\(name)", "end": "\(status.lastExit.map(String.init(describing:)) ?? "unknown")",
                "restarts": "\(status.restarts)", "wait": "\(delay)",
            ])
    }
}

/// What a supervisor cannot do.
public enum SupervisorError: Error, Equatable, CustomStringConvertible {
    case unknown(String)
    /// The replica is between two processes.
    case noProcess(String)

    public var description: String {
        switch self {
        case .unknown(let name): "no replica is named \(name)"
        case .noProcess(let name): "\(name) has no process at this moment; it is being started again"
        }
    }
}

extension ReplicaExit {
    init(_ status: TerminationStatus) {
        switch status {
        case .exited(let code): self = .code(code)
        case .signaled(let signal): self = .signal(signal)
        }
    }
}
