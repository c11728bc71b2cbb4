import Foundation
import Glibc

/// Starts the processes that swift-subprocess cannot: those that inherit descriptors besides 0, 1 and 2
/// (``InheritingProcess``), and those that outlive the call that started them (``ChildProcess``).
///
/// A child leads a process group of its own, so that a Ctrl-C at the terminal reaches only the process that decides
/// about the order of the shutdown, and begins with default signal dispositions and an empty mask.
enum Spawn {
    /// - Parameters:
    ///   - command: the first element is a path.
    ///   - environment: added to, or replacing parts of, this process's own.
    ///   - descriptors: says what becomes of them in the child. Others are inherited unless they are close-on-exec.
    /// - Returns: the pid. It stays the child's own until the caller has waited for it.
    /// - Throws: ``ToolError`` when it cannot be started.
    static func start(
        _ command: [String], environment: [String: String] = [:],
        descriptors: (inout posix_spawn_file_actions_t) -> Void
    ) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        descriptors(&actions)

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        setFreshSignalsAndGroup(&attributes)

        let variables = ProcessInfo.processInfo.environment.merging(environment) { $1 }.map { "\($0.key)=\($0.value)" }
        var arguments = command.map { strdup($0) } + [nil]
        var environment = variables.map { strdup($0) } + [nil]
        defer { (arguments + environment).forEach { free($0) } }
        var child = pid_t()
        let code = posix_spawn(&child, command[0], &actions, &attributes, &arguments, &environment)
        guard code == 0 else {
            throw ToolError(
                tool: command[0], arguments: Array(command.dropFirst()),
                outcome: .failed(String(cString: strerror(code))))
        }
        return child
    }

    private static func setFreshSignalsAndGroup(_ attributes: inout posix_spawnattr_t) {
        var all = sigset_t()
        var none = sigset_t()
        sigfillset(&all)
        sigemptyset(&none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP))
    }
}
