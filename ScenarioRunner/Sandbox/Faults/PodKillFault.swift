import Experiments

/// Ends the processes of replicas once; the supervisor starts them again, as a Deployment does.
///
/// ```
///   apply --> wait until each replica has a process --> SIGKILL to each, and wait until all have ended
///                                                  '--> or SIGTERM to each; the supervisor sends SIGKILL after grace
///   undo  --> SIGKILLs that are not due yet are withdrawn
/// ```
///
/// A replica that is between two processes is waited for, so that each gets its one kill. With a grace period the
/// fault is in force once SIGTERM is sent: it can be stopped in the middle of the grace, and its reading tells whose
/// processes have ended so far.
public actor PodKillFault: LabFault {
    /// How long a replica may be without a process before it counts as not to be killed: longer than the longest wait
    /// of ``RestartPolicy``.
    static let timeToAppear = RestartPolicy.maximumDelay + .seconds(5)
    /// From SIGKILL to the end of the process; only one that hangs in the kernel takes longer.
    static let timeToEnd = Duration.seconds(5)

    public nonisolated let summary: String
    private let replicas: [String]
    private let grace: Duration
    private let supervisor: Supervisor
    private var kills: [ReplicaKill] = []

    /// - Parameters:
    ///   - replicas: their names; at least one.
    ///   - grace: from SIGTERM to SIGKILL; zero kills at once.
    /// - Throws: ``InvalidFault`` for anything else.
    public init(replicas: [String], grace: Duration, supervisor: Supervisor) throws {
        guard !replicas.isEmpty else { throw InvalidFault(detail: "a kill needs a replica") }
        guard grace >= .zero else { throw InvalidFault(detail: "a grace period of \(grace) is in the past") }
        self.replicas = replicas
        self.grace = grace
        self.supervisor = supervisor
        let patience = grace == .zero ? "at once" : "after \(grace.components.seconds) s to end by itself"
        summary = "kill \(replicas.joined(separator: ",")) \(patience)"
    }

    public nonisolated var steps: [FaultPlan.Step] {
        replicas.map {
            .init(
                location: $0, action: "kill its process group", undo: "none is needed: the supervisor starts it again")
        }
    }

    public func apply() async throws {
        await undo()
        kills = []
        let deadline = ContinuousClock.now + Self.timeToAppear
        // No kill can be taken back, so none is made before all can be.
        for replica in replicas { try await waitForProcess(of: replica, until: deadline) }
        for replica in replicas {
            kills.append(try await kill(replica, until: deadline))
            await FaultHook.reached(.killSent)
        }
        guard grace == .zero else { return }
        try await wait(until: .now + Self.timeToEnd) { kills.allSatisfy { $0.process.end != nil } }
        await FaultHook.reached(.killDone)
    }

    public func verify() throws {
        guard kills.count == replicas.count else {
            throw FaultMismatch(
                fault: summary, detail: "\(kills.count) of \(replicas.count) replicas were sent a signal")
        }
        for kill in kills where kill.process.end == nil {
            guard ContinuousClock.now < kill.deadline + Self.timeToEnd else {
                throw FaultMismatch(fault: summary, detail: "process \(kill.process.pid) of \(kill.replica) still runs")
            }
        }
    }

    public func reading() -> DoseReading {
        var ended: [KillReading.Kill] = []
        var waiting: [String] = []
        for kill in kills {
            if let end = kill.process.end {
                ended.append(
                    .init(replica: kill.replica, pid: kill.process.pid, end: end.exit.description, time: end.time))
            } else {
                waiting.append(kill.replica)
            }
        }
        return .kills(
            KillReading(asked: replicas.count, killed: ended.sorted { $0.time < $1.time }, waiting: waiting))
    }

    public func undo() async {
        for kill in kills { kill.withdraw() }
        await FaultHook.reached(.killWithdrawn)
    }

    private func waitForProcess(of replica: String, until deadline: ContinuousClock.Instant) async throws {
        guard supervisor.status(of: replica) != nil else { throw SupervisorError.unknown(replica) }
        while supervisor.status(of: replica)?.pid == nil {
            guard ContinuousClock.now < deadline else { throw SupervisorError.noProcess(replica) }
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    /// The process that was there a moment ago may be gone, and the next one is to be killed then.
    private func kill(_ replica: String, until deadline: ContinuousClock.Instant) async throws -> ReplicaKill {
        while true {
            do {
                return try supervisor.end(replica, grace: grace)
            } catch SupervisorError.noProcess where ContinuousClock.now < deadline {
                try await Task.sleep(for: .milliseconds(5))
            }
        }
    }

    private func wait(until deadline: ContinuousClock.Instant, _ condition: () -> Bool) async throws {
        while !condition() {
            guard ContinuousClock.now < deadline else { return try verify() }
            try await Task.sleep(for: .milliseconds(2))
        }
    }
}
