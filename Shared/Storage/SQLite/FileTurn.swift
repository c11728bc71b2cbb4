import Foundation

/// Turns among the processes that share a database file, in the order of their coming.
///
/// ```
///   line lock   held by the one who is next           C, D ... wait here
///   turn lock   held by the one who writes    A       B waits here, holding the line lock
/// ```
///
/// Two advisory locks and not one: `flock` lets the process that has just released a lock take it again before a
/// waiting one has woken up, so a busy writer would starve the others. Here it must first get the line lock, which the
/// next one holds until it has its turn. Measured with two stores, each with 100 batches of one write waiting: up to 100
/// in a row by the same one with one lock, strictly by turns with two.
///
/// Waiting blocks the thread and has no deadline of its own: only a blocking `flock` waits in order (polling with
/// `LOCK_NB` finds the lock free by luck), and what must end in time is the wait of the callers, which ``WorkQueue``
/// ends whether this thread is blocked or not. The kernel releases the locks of a process that dies.
///
/// Confined to one thread.
final class FileTurn {
    private let line: LockFile
    private let turn: LockFile

    /// Uses `<path>.line` and `<path>.lock`, which stay: removing a lock file would split those who wait.
    init(path: String) throws {
        line = try LockFile(path: path + ".line")
        turn = try LockFile(path: path + ".lock")
    }

    /// Runs `body` when the turn has come and gives the turn up after it.
    func hold<Value>(_ body: () throws -> Value) throws -> Value {
        try line.lock()
        do { try turn.lock() } catch {
            line.unlock()
            throw error
        }
        line.unlock()
        defer { turn.unlock() }
        return try body()
    }
}

/// One file locked with `flock`, which belongs to the open file: two in one process exclude each other too.
private final class LockFile {
    private let descriptor: CInt

    init(path: String) throws {
        // Close-on-exec: a child process that inherited the open file would hold the lock on.
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw StoreError.failed("the lock file cannot be opened: \(Self.reason())") }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    func lock() throws {
        while flock(descriptor, LOCK_EX) != 0 {
            guard errno == EINTR else { throw StoreError.failed("the file lock was refused: \(Self.reason())") }
        }
    }

    /// Cannot fail on an open descriptor.
    func unlock() { _ = flock(descriptor, LOCK_UN) }

    private static func reason() -> String { String(cString: strerror(errno)) }
}
