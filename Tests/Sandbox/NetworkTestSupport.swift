import Glibc
import Subprocess
import Testing

@testable import Sandbox

/// Tests that need namespaces are run by this same test program, started again inside some.
///
/// A process with threads cannot `unshare` itself, so a suite that needs to be inside is enabled by the
/// environment and skipped otherwise, and one outside starts the program again and demands that it passed.
enum Again {
    static let roleKey = "SANDBOX_TEST_ROLE"
    /// Nil in the ordinary run.
    static var role: String? { getenv(roleKey).map { String(cString: $0) } }

    /// How this program runs only `suite`.
    static func arguments(suite: String) -> [String] {
        ["--testing-library", "swift-testing", "--filter", suite]
    }

    /// Whether this machine allows it. Where it does not, the tests that need namespaces are skipped, and say so.
    static func isAllowed(_ access: NamespaceAccess) async -> Bool {
        guard access == .userNamespace || geteuid() == 0 else { return false }
        return (try? await CommandLineTool.run("unshare", access.unshareArguments + ["true"])) != nil
    }

    /// The way the program itself would choose, or nil.
    static func access() async -> NamespaceAccess? {
        if await isAllowed(.root) { return .root }
        return await isAllowed(.userNamespace) ? .userNamespace : nil
    }

    /// Runs `suite` in fresh namespaces.
    ///
    /// - Returns: what the run printed; a failure in there is a failure here.
    static func inside(_ access: NamespaceAccess, suite: String) async throws -> String {
        let arguments = access.unshareArguments + [NamespaceLauncher.ownExecutable] + arguments(suite: suite)
        let result = try await Subprocess.run(
            .name("unshare"), arguments: Arguments(arguments),
            environment: .inherit.updating([Environment.Key(stringLiteral: roleKey): suite]), input: .none,
            output: .string(limit: 1 << 20), error: .combinedWithOutput)
        let printed = result.standardOutput
        #expect(result.terminationStatus == .exited(0), "inside: \(printed)")
        return printed
    }
}

struct SocketError: Error, Equatable {
    let call: String
    let code: Int32
}

/// A plain blocking socket with a time limit on every call, closed with its last reference.
final class TestSocket: Sendable {
    let descriptor: Int32

    init(_ descriptor: Int32, _ call: String) throws {
        guard descriptor >= 0 else { throw SocketError(call: call, code: errno) }
        self.descriptor = descriptor
        var limit = timeval(tv_sec: 10, tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            setsockopt(descriptor, SOL_SOCKET, option, &limit, socklen_t(MemoryLayout<timeval>.size))
        }
    }

    deinit { close(descriptor) }

    static func open(_ type: __socket_type) throws -> TestSocket {
        try TestSocket(socket(AF_INET, Int32(type.rawValue | SOCK_CLOEXEC.rawValue), 0), "socket")
    }

    /// A listening TCP socket, or a bound UDP one.
    static func bound(_ type: __socket_type, _ address: String = "127.0.0.1", port: Int = 0) throws -> TestSocket {
        let made = try open(type)
        try made.withAddress(address, port, "bind") { Glibc.bind(made.descriptor, $0, $1) }
        if type == SOCK_STREAM { try check(listen(made.descriptor, 64), "listen") }
        return made
    }

    static func connected(_ type: __socket_type = SOCK_STREAM, to address: String, port: Int) throws -> TestSocket {
        let made = try open(type)
        try made.withAddress(address, port, "connect") { connect(made.descriptor, $0, $1) }
        return made
    }

    var port: Int {
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutablePointer(to: &address) {
            _ = $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
        }
        return Int(UInt16(bigEndian: address.sin_port))
    }

    /// The next connection and the address it comes from.
    func accepted() throws -> (TestSocket, from: String) {
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let accepted = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                accept(descriptor, $0, &length)
            }
        }
        let number = UInt32(bigEndian: address.sin_addr.s_addr)
        let from = [24, 16, 8, 0].map { "\((number >> UInt32($0)) & 255)" }.joined(separator: ".")
        return (try TestSocket(accepted, "accept"), from)
    }

    func send(_ bytes: [UInt8]) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            try Self.check(Int32(truncatingIfNeeded: count), "send")
            rest = rest.dropFirst(count)
        }
    }

    func send(_ text: String) throws { try send(Array(text.utf8)) }

    /// What comes next, up to `limit` bytes; empty at the end.
    func receive(_ limit: Int = 65536) throws -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: limit)
        let count = recv(descriptor, &buffer, limit, 0)
        try Self.check(Int32(truncatingIfNeeded: count), "recv")
        return Array(buffer[..<count])
    }

    func receiveToEnd() throws -> [UInt8] {
        var all: [UInt8] = []
        while true {
            let next = try receive()
            if next.isEmpty { return all }
            all += next
        }
    }

    func text() throws -> String { String(decoding: try receiveToEnd(), as: UTF8.self) }

    func finishSending() { shutdown(descriptor, Int32(SHUT_WR)) }

    private func withAddress(
        _ text: String, _ port: Int, _ call: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) throws {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        inet_pton(AF_INET, text, &address.sin_addr)
        let code = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
        try Self.check(code, call)
    }

    private static func check(_ code: Int32, _ call: String) throws {
        if code < 0 { throw SocketError(call: call, code: errno) }
    }
}

/// Answers every connection with a name and the address that asked, until it is closed.
struct NameServer: Sendable {
    private let socket: TestSocket
    var port: Int { socket.port }

    init(name: String, on socket: TestSocket) {
        self.socket = socket
        BlockingThread.start { [weak socket] in
            // A connection that goes wrong is the asking test's affair.
            while let socket {
                guard let (asked, from) = try? socket.accepted() else { continue }
                try? asked.send("\(name) was asked by \(from)")
            }
        }
    }
}
