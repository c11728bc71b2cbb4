import Glibc
import Subprocess
import SystemPackage

/// Runs small programs of the operating system (`ip`, `nft`, `mount`, `tc`, ...) to their end.
///
/// The kernel's network is changed through its own command line tools and not through netlink: their input
/// is text that a test can compare and a person can replay.
public enum CommandLineTool {
    /// More standard output than this is an error: no tool of the lab's has that much to say.
    static let outputLimit = 1 << 20
    /// As ``outputLimit``, for standard error.
    static let errorLimit = 1 << 16

    /// Where tools of the administrator live; an ordinary user's PATH often lacks them.
    private static let administratorFolders = ["/usr/sbin", "/sbin", "/usr/bin", "/bin"]

    /// The Debian package of each tool that the lab uses.
    private static let packages = [
        "ip": "iproute2", "tc": "iproute2", "nft": "nftables", "mount": "util-linux", "unshare": "util-linux",
        "nsenter": "util-linux", "taskset": "util-linux", "python3": "python3",
    ]

    /// Runs `tool` and returns what it wrote to standard output.
    ///
    /// The tool's messages are not translated (`LC_ALL=C`), so that they can be recognised.
    ///
    /// - Parameters:
    ///   - tool: a name, looked up in PATH and then in /usr/sbin, /sbin, /usr/bin and /bin; or a path.
    ///   - input: its standard input, at most what a pipe holds (64 KiB); none is an empty one.
    ///   - timeout: the total time it may take; then it is killed.
    /// - Throws: ``ToolError`` when it is missing, exits with anything but 0, or takes too long;
    ///   `CancellationError`, with the tool killed, when the task is cancelled.
    @discardableResult
    public static func run(
        _ tool: String, _ arguments: [String], input: String? = nil, timeout: Duration = .seconds(10)
    ) async throws -> String {
        guard let path = path(of: tool) else {
            throw ToolError(tool: tool, arguments: arguments, outcome: .missing(package: packages[tool]))
        }
        let ended = try await withThrowingTaskGroup(of: Ended?.self) { group in
            group.addTask { try await collect(tool: tool, path: path, arguments: arguments, input: input ?? "") }
            group.addTask {
                try await Task.sleep(for: timeout)
                return nil
            }
            // The loser is cancelled, and for the tool that means killed, before the group ends.
            defer { group.cancelAll() }
            return try await group.next() ?? nil
        }
        guard let ended else {
            try Task.checkCancellation()
            throw ToolError(tool: tool, arguments: arguments, outcome: .timedOut(timeout))
        }
        switch ended.status {
        case .exited(0): return ended.standardOutput
        case .exited(let code):
            throw ToolError(
                tool: tool, arguments: arguments, outcome: .exited(code), standardError: ended.standardError)
        case .signaled(let signal):
            try Task.checkCancellation()
            throw ToolError(
                tool: tool, arguments: arguments, outcome: .signalled(signal), standardError: ended.standardError)
        }
    }

    /// The tool's path, or nil when it is not installed.
    public static func path(of tool: String) -> String? {
        if tool.contains("/") { return access(tool, X_OK) == 0 ? tool : nil }
        let searched = getenv("PATH").map { String(cString: $0) } ?? ""
        let folders = searched.split(separator: ":").map(String.init) + administratorFolders
        return folders.lazy.map { "\($0)/\(tool)" }.first { access($0, X_OK) == 0 }
    }

    private struct Ended: Sendable {
        let status: TerminationStatus
        let standardOutput: String
        let standardError: String
    }

    private static func collect(
        tool: String, path: String, arguments: [String], input: String
    ) async throws -> Ended {
        let standardInput = try filledPipe(tool: tool, arguments: arguments, input: input)
        defer { try? standardInput.close() }
        do {
            let result = try await Subprocess.run(
                .path(FilePath(path)), arguments: Arguments(arguments),
                environment: .inherit.updating(["LC_ALL": "C"]),
                input: .fileDescriptor(standardInput, closeAfterSpawningProcess: false),
                output: .string(limit: outputLimit), error: .string(limit: errorLimit))
            return Ended(
                status: result.terminationStatus, standardOutput: result.standardOutput,
                standardError: trimmed(result.standardError))
        } catch let error as SubprocessError {
            try Task.checkCancellation()
            throw ToolError(tool: tool, arguments: arguments, outcome: .failed("\(error)"))
        }
    }

    /// The read end of a pipe in which the whole input waits already. A tool may end without having read it, and
    /// Subprocess ends this process when it cannot write to the end what it was given to write.
    private static func filledPipe(tool: String, arguments: [String], input: String) throws -> FileDescriptor {
        let (readEnd, writeEnd) = try FileDescriptor.pipe()
        defer { try? writeEnd.close() }
        for end in [readEnd, writeEnd] { _ = fcntl(end.rawValue, F_SETFD, FD_CLOEXEC) }
        _ = fcntl(writeEnd.rawValue, F_SETFL, O_NONBLOCK)
        let bytes = Array(input.utf8)
        guard bytes.isEmpty || Glibc.write(writeEnd.rawValue, bytes, bytes.count) == bytes.count else {
            try? readEnd.close()
            let outcome = ToolError.Outcome.failed("its input of \(bytes.count) bytes is more than a pipe holds")
            throw ToolError(tool: tool, arguments: arguments, outcome: outcome)
        }
        return readEnd
    }

    private static func trimmed(_ text: String) -> String {
        let body = text.drop(while: \.isWhitespace)
        let end = body.lastIndex { !$0.isWhitespace }.map(body.index(after:)) ?? body.startIndex
        return String(body[..<end])
    }
}
