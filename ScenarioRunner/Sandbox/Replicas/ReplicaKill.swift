import Synchronization

/// The end of one replica's process, as a fault ordered it with ``Supervisor/end(_:grace:)``.
final class ReplicaKill: Sendable {
    let replica: String
    let process: ReplicaProcess
    /// When the process gets SIGKILL if it is still there.
    let deadline: ContinuousClock.Instant
    private let withdrawn = Atomic(false)

    init(replica: String, process: ReplicaProcess, deadline: ContinuousClock.Instant) {
        self.replica = replica
        self.process = process
        self.deadline = deadline
    }

    /// Whether SIGKILL is still wanted at the deadline.
    var isDue: Bool { !withdrawn.load(ordering: .acquiring) }

    /// Nothing more is done to the process. What it has been sent cannot be taken back.
    func withdraw() { withdrawn.store(true, ordering: .releasing) }
}
