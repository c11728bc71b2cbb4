import Glibc
import Synchronization

/// A child process that inherits chosen descriptors under their own numbers.
///
/// swift-subprocess closes all descriptors above 2 in the child, as it should; these are given listening sockets.
/// Like all that ``Spawn`` starts, it leads a process group of its own.
public final class InheritingProcess: Sendable {
    private struct State {
        var exitCode: Int32?
        var waiting: [CheckedContinuation<Int32, Never>] = []
    }

    public let processID: Int32
    private let state = Mutex(State())

    /// Starts `executable`.
    ///
    /// - Parameters:
    ///   - executable: a path.
    ///   - arguments: without the program's own name.
    ///   - environment: added to, or replacing parts of, this process's own.
    ///   - descriptors: what it inherits besides 0, 1 and 2. Others stay out if they are close-on-exec.
    /// - Throws: ``ToolError`` when it cannot be started.
    public init(
        executable: String, arguments: [String], environment: [String: String] = [:], inheriting descriptors: [Int32]
    ) throws {
        processID = try Spawn.start([executable] + arguments, environment: environment) { actions in
            // Duplicating a descriptor onto itself takes its close-on-exec flag away, in the child only.
            for descriptor in descriptors { posix_spawn_file_actions_adddup2(&actions, descriptor, descriptor) }
        }
        waitOnThread()
    }

    /// Sends a signal, unless the process has ended: its number may belong to another one by then.
    public func signal(_ number: Int32) {
        state.withLock { if $0.exitCode == nil { kill(processID, number) } }
    }

    /// Waits for the end. Cancellation kills the process, and then waits.
    ///
    /// - Returns: its exit code; 128 + n if signal n ended it, as shells say it.
    public func exitCode() async -> Int32 {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let known = state.withLock { state in
                    if state.exitCode == nil { state.waiting.append(continuation) }
                    return state.exitCode
                }
                if let known { continuation.resume(returning: known) }
            }
        } onCancel: {
            signal(SIGKILL)
        }
    }

    /// Asks the process to end with SIGTERM and kills it when it has not within `grace`.
    ///
    /// - Returns: its exit code, as ``exitCode()``.
    public func stop(grace: Duration) async -> Int32 {
        signal(SIGTERM)
        return await withTaskGroup(of: Void.self) { group in
            group.addTask { [self] in
                guard (try? await Task.sleep(for: grace)) != nil else { return }
                signal(SIGKILL)
            }
            defer { group.cancelAll() }
            return await exitCode()
        }
    }

    /// `waitid` blocks, so it has a thread of its own, which ends with the child.
    private func waitOnThread() {
        BlockingThread.start { [self] in
            var information = siginfo_t()
            // Without reaping, so that `signal` can never meet a number that is already free again.
            while waitid(P_PID, id_t(processID), &information, WEXITED | WNOWAIT) != 0 && errno == EINTR {}
            let (code, waiting) = state.withLock { state in
                var status: Int32 = 0
                while waitpid(processID, &status, 0) < 0 && errno == EINTR {}
                let signal = status & 0x7f
                let code = signal == 0 ? (status >> 8) & 0xff : 128 + signal
                defer { state.waiting = [] }
                state.exitCode = code
                return (code, state.waiting)
            }
            for continuation in waiting { continuation.resume(returning: code) }
        }
    }
}
