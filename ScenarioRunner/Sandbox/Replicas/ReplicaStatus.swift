/// How a replica's process is doing. Whether the service in it answers is the readiness check's business.
public enum ReplicaState: String, Sendable, Equatable, Codable {
    /// Its process runs.
    case up
    /// Its process ended and is started again after a wait.
    case restarting
    /// A fault holds it down: it has no process and is not started again until it is released.
    case held = "down"
    /// It is not wanted: before the start and after the end of the lab.
    case stopped
}

/// How a process ended.
public enum ReplicaExit: Sendable, Equatable, CustomStringConvertible {
    case code(Int32)
    case signal(Int32)
    /// It never started; the text says why.
    case notStarted(String)

    public var description: String {
        switch self {
        case .code(let code): "exit code \(code)"
        case .signal(let signal): "signal \(signal)"
        case .notStarted(let reason): "not started: \(reason)"
        }
    }
}

/// One replica as the topology view shows it.
public struct ReplicaStatus: Sendable, Equatable {
    /// `payment-0`.
    public let name: String
    public internal(set) var state: ReplicaState
    /// The process, in the lab's own PID namespace; nil while there is none.
    public internal(set) var pid: Int32?
    /// How often it was started again since the lab began.
    public internal(set) var restarts: Int
    /// How its last process ended; nil while the first one runs.
    public internal(set) var lastExit: ReplicaExit?
    /// Since when it is ``ReplicaState/held``; nil while it is not.
    public internal(set) var heldSince: ContinuousClock.Instant?
}
