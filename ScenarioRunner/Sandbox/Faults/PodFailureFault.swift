import Experiments
import Shared

/// Keeps replicas down: their processes are killed and not started again before the fault is undone.
///
/// ```
///   apply --> Supervisor.hold each --> wait until all are down
///   undo  --> Supervisor.release each --> wait until all have a process
/// ```
///
/// The kernel refuses connections to a replica that is down, as it does for a pod whose container was exchanged for one
/// that serves nothing, which is how Chaos Mesh does it.
public actor PodFailureFault: LabFault {
    /// From SIGKILL to a replica that counts as down.
    static let timeToEnd = Duration.seconds(5)
    /// From the release to a process that runs. Whether it answers yet is measured as recovery.
    static let timeToReturn = Duration.seconds(10)

    public nonisolated let summary: String
    private let replicas: [String]
    private let supervisor: Supervisor
    private var isHolding = false
    /// Since when each replica is down: another time means that it ran in between.
    private var heldSince: [String: ContinuousClock.Instant] = [:]
    private var start: ContinuousClock.Instant?
    private var end: ContinuousClock.Instant?

    /// - Parameter replicas: their names; at least one.
    /// - Throws: ``InvalidFault`` for none.
    public init(replicas: [String], supervisor: Supervisor) throws {
        guard !replicas.isEmpty else { throw InvalidFault(detail: "a failure needs a replica") }
        self.replicas = replicas
        self.supervisor = supervisor
        summary = "keep \(replicas.joined(separator: ",")) down"
    }

    public nonisolated var steps: [FaultPlan.Step] {
        replicas.map {
            .init(location: $0, action: "kill its process, and keep it down", undo: "the supervisor starts it again")
        }
    }

    public func apply() async throws {
        // A second call begins anew.
        try await undo()
        (heldSince, start, end) = ([:], nil, nil)
        if let unknown = replicas.first(where: { supervisor.status(of: $0) == nil }) {
            throw SupervisorError.unknown(unknown)
        }
        isHolding = true
        do {
            for replica in replicas {
                try supervisor.hold(replica)
                await FaultHook.reached(.replicaHeld)
            }
            try await waitUntilDown()
            await FaultHook.reached(.replicasDown)
        } catch {
            try await undo()
            throw error
        }
        start = .now
    }

    public func verify() throws {
        for replica in replicas { try check(replica) }
    }

    public func reading() throws -> DoseReading {
        let isInForce = start != nil && end == nil
        if isInForce { try verify() }
        let seconds = start.map { (end ?? .now) - $0 } ?? .zero
        return .downtime(
            DowntimeReading(
                asked: replicas.count, down: start == nil ? [] : replicas, seconds: seconds / .seconds(1)))
    }

    public func undo() async throws {
        try await uncancelled { try await self.letRun() }
    }

    private func letRun() async throws {
        guard isHolding else { return }
        if end == nil { end = .now }
        for replica in replicas {
            try supervisor.release(replica)
            await FaultHook.reached(.replicaReleased)
        }
        let deadline = ContinuousClock.now + Self.timeToReturn
        while let missing = replicas.first(where: { !isReleased($0) }) {
            guard ContinuousClock.now < deadline else {
                throw FaultMismatch(fault: summary, detail: "\(missing) did not start again; its log says why")
            }
            try await Task.sleep(for: .milliseconds(5))
        }
        isHolding = false
        await FaultHook.reached(.replicasBack)
    }

    /// Running again, or at its end with the lab.
    private func isReleased(_ replica: String) -> Bool {
        guard let status = supervisor.status(of: replica) else { return true }
        return status.state == .up || status.state == .stopped
    }

    private func check(_ replica: String) throws {
        guard let status = supervisor.status(of: replica), status.state == .held, status.pid == nil,
            let since = status.heldSince, since == heldSince[replica]
        else { throw FaultVanished(fault: summary, cause: "\(replica) was started by someone else") }
    }

    private func waitUntilDown() async throws {
        let deadline = ContinuousClock.now + Self.timeToEnd
        for replica in replicas {
            while supervisor.status(of: replica)?.state != .held {
                guard ContinuousClock.now < deadline else {
                    throw FaultMismatch(
                        fault: summary, detail: "\(replica) is not down \(Self.timeToEnd) after its kill")
                }
                try await Task.sleep(for: .milliseconds(2))
            }
            heldSince[replica] = supervisor.status(of: replica)?.heldSince
        }
    }
}
