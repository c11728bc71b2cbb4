import Glibc
import ServiceLifecycle
import UnixSignals

/// The outer process of the lab: starts the inner one in fresh namespaces, and outlives it.
///
/// ```
///   terminal --SIGINT, SIGTERM, SIGHUP--> outer --(pipe)--> inner = PID 1 of the lab
///                                           |                 ^
///                                           '--> unshare -----'  SIGKILL here is SIGKILL there
/// ```
///
/// It has to be `unshare` and an `exec`, not a call from Swift: the kernel refuses `CLONE_NEWUSER` to a
/// process with threads. `unshare --fork` ignores SIGINT and SIGTERM, so an orderly shutdown is asked for
/// through the pipe; the same pipe ends when the outer process dies in whatever way.
public struct NamespaceLauncher: Sendable {
    /// How long the inner process may take to shut down in order before it is killed.
    public static let grace: Duration = .seconds(10)

    let access: NamespaceAccess
    let executable: String
    let arguments: [String]
    let grace: Duration

    /// - Parameters:
    ///   - access: how namespaces are made on this host; see ``NamespaceProbe``.
    ///   - executable: what runs inside; by default this very program.
    ///   - arguments: its arguments, without the program's name.
    ///   - grace: as ``grace``.
    public init(
        access: NamespaceAccess, executable: String = NamespaceLauncher.ownExecutable, arguments: [String],
        grace: Duration = NamespaceLauncher.grace
    ) {
        self.access = access
        self.executable = executable
        self.arguments = arguments
        self.grace = grace
    }

    /// The path of the running program. (`/proc/self/exe` itself would name another one after `exec`.)
    public static var ownExecutable: String {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let length = readlink("/proc/self/exe", &buffer, buffer.count - 1)
        guard length > 0 else { return CommandLine.arguments.first ?? "" }
        return String(decoding: buffer[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Runs the inner process to its end, forwarding signals.
    ///
    /// - Parameter sockets: handed to the inner process, and closed here once it has them.
    /// - Returns: the inner process's exit code; 137 when it had to be killed.
    /// - Throws: ``ToolError`` when `unshare` is missing or cannot be started.
    public func run(sockets: FrontDoorSockets) async throws -> Int32 {
        // Trapped before the child exists, so that no signal falls between.
        let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm, .sighup)
        return try await run(sockets: sockets) { await signals.first { _ in true } != nil }
    }

    /// As above, told to stop by `isToldToStop`, which waits until then; false when it was cancelled.
    func run(sockets: FrontDoorSockets, isToldToStop: @escaping @Sendable () async -> Bool) async throws -> Int32 {
        let (process, pipe) = try start(sockets: sockets)
        defer { pipe.close() }
        return await withTaskGroup(of: Void.self) { group in
            group.addTask { [grace] in
                guard await isToldToStop() else { return }
                pipe.askToStop()
                guard (try? await Task.sleep(for: grace)) != nil else { return }
                process.signal(SIGKILL)
            }
            defer { group.cancelAll() }
            return await process.exitCode()
        }
    }

    private func start(sockets: FrontDoorSockets) throws -> (InheritingProcess, StopPipe) {
        defer { sockets.close() }
        guard let unshare = CommandLineTool.path(of: "unshare") else {
            throw ToolError(tool: "unshare", arguments: [], outcome: .missing(package: "util-linux"))
        }
        let pipe = try StopPipe()
        let inherited = InheritedDescriptors(watch: pipe.readEnd, listeners: sockets.listeners)
        do {
            let process = try InheritingProcess(
                executable: unshare, arguments: access.unshareArguments + [executable] + arguments,
                environment: [InheritedDescriptors.environmentKey: inherited.encoded],
                inheriting: [inherited.watch] + inherited.listeners.map(\.descriptor))
            return (process, pipe)
        } catch {
            pipe.close()
            throw error
        }
    }
}

/// The pipe between the two processes. Both ends are close-on-exec; the inner process is given the read end.
/// (A pair of sockets, because those are close-on-exec from birth: a copy of the write end that slipped into
/// some other child would hide the outer process's death.)
private struct StopPipe: Sendable {
    let readEnd: Int32
    let writeEnd: Int32

    init() throws {
        var ends: [Int32] = [-1, -1]
        guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends) == 0 else {
            let reason = ToolError.Outcome.failed(String(cString: strerror(errno)))
            throw ToolError(tool: "socketpair", arguments: [], outcome: reason)
        }
        (readEnd, writeEnd) = (ends[0], ends[1])
    }

    /// Cannot block, nor meet a broken pipe: this process keeps the read end open too.
    func askToStop() {
        var byte: UInt8 = 1
        while write(writeEnd, &byte, 1) < 0 && errno == EINTR {}
    }

    func close() {
        Glibc.close(readEnd)
        Glibc.close(writeEnd)
    }
}
