import Glibc
import Shared
import Synchronization

/// A process that the supervisor started: its pid, and a pidfd that cannot come to mean another process.
///
/// A pid may be given to a stranger once its process is gone. The pidfd says whether ours still is, right before a
/// signal is sent.
final class ReplicaProcess: Sendable {
    /// How it ended, and when that was noticed.
    struct End: Sendable, Equatable {
        let exit: ReplicaExit
        let time: UnixTime
    }

    let pid: pid_t
    private let pidfd: CInt
    private let noted = Mutex<End?>(nil)

    /// - Parameter pidfd: stays the caller's; this keeps a copy. -1 on kernels before 5.4, which have none.
    init(pid: pid_t, pidfd: CInt) {
        self.pid = pid
        self.pidfd = pidfd < 0 ? -1 : fcntl(pidfd, F_DUPFD_CLOEXEC, 3)
    }

    deinit {
        if pidfd >= 0 { close(pidfd) }
    }

    /// Nil until the supervisor has reaped it.
    var end: End? { noted.withLock { $0 } }

    func ended(_ exit: ReplicaExit) { noted.withLock { $0 = $0 ?? End(exit: exit, time: .now) } }

    /// Whether the process has not ended yet. Without a pidfd it counts as running until it is reaped.
    var isRunning: Bool {
        guard end == nil else { return false }
        guard pidfd >= 0 else { return true }
        var ended = pollfd(fd: pidfd, events: Int16(POLLIN), revents: 0)
        return poll(&ended, 1, 0) == 0
    }

    /// - Returns: false when the process has ended.
    func send(_ signal: CInt) -> Bool {
        isRunning && kill(pid, signal) == 0
    }

    /// The same, to all that it has started as well: the processes of a pod end together.
    func sendToGroup(_ signal: CInt) -> Bool {
        isRunning && kill(-pid, signal) == 0
    }
}
