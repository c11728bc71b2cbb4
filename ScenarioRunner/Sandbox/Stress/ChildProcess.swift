import Foundation
import Glibc

/// A child process that is looked after by looking at it: no task waits for it.
///
/// A fault is applied in one call and undone in another, so there is no scope in which a task could wait for its
/// workers. The pid stays the child's own until ``poll()`` has collected its end, so a signal never reaches
/// a stranger.
struct ChildProcess: Sendable {
    let pid: pid_t
    /// How it ended; nil while it runs.
    private(set) var exit: ReplicaExit?
    /// Whether ``send(_:)`` has sent a signal to it: an end by signal is then no surprise.
    private(set) var wasSignalled = false
    /// What it had used at its end.
    private var finalProcessorTime = Duration.zero

    /// Starts `command` in a process group of its own, with the environment of this process.
    ///
    /// - Parameters:
    ///   - command: the first element is an absolute path.
    ///   - input: becomes its standard input; nil is `/dev/null`.
    ///   - output: becomes its standard output; nil is the log. No other descriptor is passed on.
    ///   - logFile: takes its standard error, and its standard output unless that is said; nil throws them away.
    /// - Throws: ``ToolError`` when it cannot be started.
    init(_ command: [String], input: CInt?, output: CInt? = nil, logFile: String?) throws {
        pid = try Spawn.start(command) { actions in
            if let input {
                posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO)
            } else {
                posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
            }
            posix_spawn_file_actions_addopen(
                &actions, STDERR_FILENO, logFile ?? "/dev/null", O_WRONLY | O_CREAT | O_APPEND, 0o600)
            posix_spawn_file_actions_adddup2(&actions, output ?? STDERR_FILENO, STDOUT_FILENO)
            // The front door's listening sockets above all: they must end with the runner.
            for descriptor in Self.openDescriptors() where descriptor > STDERR_FILENO {
                posix_spawn_file_actions_addclose(&actions, descriptor)
            }
        }
    }

    /// Looks whether it has ended, and collects its end if so.
    mutating func poll() {
        guard exit == nil else { return }
        var status: CInt = 0
        var usage = rusage()
        guard wait4(pid, &status, WNOHANG, &usage) == pid else { return }
        let signal = status & 0x7f
        exit = signal == 0 ? .code((status >> 8) & 0xff) : .signal(signal)
        finalProcessorTime = [usage.ru_utime, usage.ru_stime].reduce(.zero) {
            $0 + .seconds($1.tv_sec) + .microseconds($1.tv_usec)
        }
    }

    /// Sends `signal` to it and to what it has started, unless it has ended.
    mutating func send(_ signal: CInt) {
        poll()
        guard exit == nil else { return }
        wasSignalled = true
        kill(-pid, signal)
    }

    private static func openDescriptors() -> [CInt] {
        ((try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []).compactMap { CInt($0) }
    }

    /// The processor time it has used, to its end or until now.
    var processorTime: Duration {
        exit == nil ? ProcessStat.processorTime(of: pid) ?? finalProcessorTime : finalProcessorTime
    }

    /// The bytes it holds in memory.
    var anonymousBytes: UInt64 {
        exit == nil ? ProcessStat.anonymousBytes(of: pid) ?? 0 : 0
    }
}
