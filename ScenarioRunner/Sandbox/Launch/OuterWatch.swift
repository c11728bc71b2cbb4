import Glibc

/// The inner process's end of the pipe to the outer one.
///
/// ```
///   outer --(one byte)--> "shut down in order"      outer dies --(end of file)--> the kernel ends it all
/// ```
///
/// The inner process is PID 1 of its PID namespace: when it exits, the kernel kills everything in there, and
/// network, mounts and rules go with the last process. So nothing has to be cleaned up, and the watch needs
/// nothing to work but its own thread, even when every other thread is stuck.
///
/// As PID 1 it is also the parent of every orphan inside, and deliberately reaps none: nothing in the lab
/// makes orphans (host commands and limits are wrappers that `exec`), a stray one costs a line in the
/// process table until the lab ends, and `wait` for any child would steal the exit codes of the processes
/// that the runner waits for.
public enum OuterWatch {
    /// `EX_SOFTWARE`, in case anyone is left to read it.
    static let exitCode: Int32 = 70

    /// Starts the watch; it lasts as long as the process.
    ///
    /// - Parameters:
    ///   - descriptor: ``InheritedDescriptors/watch``.
    ///   - onStop: called once, on the watch's thread, when the outer process asks for an orderly shutdown.
    ///     It must return at once (resume something, yield to a stream): the watch is blind until it does.
    public static func start(descriptor: Int32, onStop: @escaping @Sendable () -> Void) {
        start(descriptor: descriptor, onStop: onStop, onEnd: { _exit(exitCode) })
    }

    static func start(
        descriptor: Int32, onStop: @escaping @Sendable () -> Void, onEnd: @escaping @Sendable () -> Void
    ) {
        BlockingThread.start {
            var told = false
            var byte: UInt8 = 0
            while true {
                let count = read(descriptor, &byte, 1)
                if count < 0 && errno == EINTR { continue }
                guard count > 0 else { return onEnd() }
                if !told { onStop() }
                told = true
            }
        }
    }
}
