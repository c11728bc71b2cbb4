import Foundation
import Glibc
import Synchronization

/// A TCP server on the loopback address that does with each connection whatever a test wants, on plain blocking
/// sockets: HTTP libraries cannot lie about lengths, trickle or reset.
final class HostileServer: Sendable {
    struct SetupError: Error {
        let call: String
        let code: Int32
    }

    private struct State {
        var open: [Int32: HostilePeer] = [:]
        var accepted = 0
        var threads = 1
        var isStopping = false
    }

    let port: UInt16
    private let listener: Int32
    private let state = Mutex(State())

    var url: String { "http://127.0.0.1:\(port)" }
    /// Connections accepted so far.
    var accepted: Int { state.withLock { $0.accepted } }
    /// Connections that are open now.
    var open: Int { state.withLock { $0.open.count } }

    /// Listens on an ephemeral port and runs `serve` for each connection on a thread of its own; the connection is
    /// closed when `serve` returns.
    init(_ serve: @escaping @Sendable (HostilePeer) -> Void) throws {
        (listener, port) = try Self.listen()
        Thread { [self] in
            acceptAll(serve)
            state.withLock { $0.threads -= 1 }
        }.start()
    }

    /// Closes everything and waits for the threads, which all are in a call that this ends.
    func stop() async {
        state.withLock { state in
            guard !state.isStopping else { return }
            state.isStopping = true
            Glibc.shutdown(listener, Int32(SHUT_RDWR))
            for peer in state.open.values { Glibc.shutdown(peer.descriptor, Int32(SHUT_RDWR)) }
        }
        let ended = await Self.wait { state.withLock { $0.threads == 0 } }
        precondition(ended, "a thread of the test server does not end")
        close(listener)
    }

    /// Waits until `condition` holds; false when it does not within `seconds`.
    static func wait(seconds: Double = 30, until condition: () -> Bool) async -> Bool {
        let deadline = ContinuousClock.now.advanced(by: .seconds(seconds))
        while !condition() {
            if ContinuousClock.now > deadline || Task.isCancelled { return false }
            try? await Task.sleep(for: .milliseconds(1))
        }
        return true
    }

    /// A port on which nothing listens.
    static func refusedPort() throws -> UInt16 {
        let (listener, port) = try listen()
        close(listener)
        return port
    }

    private func acceptAll(_ serve: @escaping @Sendable (HostilePeer) -> Void) {
        while true {
            var address = sockaddr_in()
            let descriptor = withSocketAddress(&address) { accept(listener, $0, $1) }
            guard descriptor >= 0 else { return }
            var noDelay: Int32 = 1
            setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &noDelay, 4)
            let peer: HostilePeer? = state.withLock { state in
                guard !state.isStopping else { return nil }
                state.accepted += 1
                let peer = HostilePeer(
                    descriptor: descriptor, port: UInt16(bigEndian: address.sin_port), number: state.accepted)
                state.open[descriptor] = peer
                state.threads += 1
                return peer
            }
            guard let peer else {
                close(descriptor)
                return
            }
            Thread { [self] in
                serve(peer)
                state.withLock { state in
                    state.open[descriptor] = nil
                    close(descriptor)
                    state.threads -= 1
                }
            }.start()
        }
    }

    private static func listen() throws -> (descriptor: Int32, port: UInt16) {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw SetupError(call: "socket", code: errno) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(INADDR_LOOPBACK).bigEndian
        guard withSocketAddress(&address, { bind(descriptor, $0, $1.pointee) }) == 0,
            Glibc.listen(descriptor, 512) == 0,
            withSocketAddress(&address, { getsockname(descriptor, $0, $1) }) == 0
        else {
            let code = errno
            close(descriptor)
            throw SetupError(call: "bind", code: code)
        }
        return (descriptor, UInt16(bigEndian: address.sin_port))
    }
}

private func withSocketAddress(
    _ address: inout sockaddr_in, _ body: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Int32
) -> Int32 {
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    return withUnsafeMutablePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, &length) }
    }
}

/// One connection of a ``HostileServer``.
struct HostilePeer: Sendable {
    struct Request: Sendable {
        let line: String
        /// Names in lower case.
        let headers: [String: String]
        let head: String
        let body: String
    }

    let descriptor: Int32
    /// The client's port.
    let port: UInt16
    /// 1 for the first connection that the server accepted.
    let number: Int

    /// The next request, or nil when the client has closed the connection.
    func readRequest() -> Request? {
        var bytes: [UInt8] = []
        while !bytes.suffix(4).elementsEqual("\r\n\r\n".utf8) {
            guard let byte = readByte() else { return nil }
            bytes.append(byte)
        }
        let head = String(decoding: bytes, as: UTF8.self)
        let lines = head.components(separatedBy: "\r\n")
        var headers: [String: String] = [:]
        for line in lines.dropFirst() where line.contains(":") {
            let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            headers[parts[0].lowercased()] = parts[1].trimmingCharacters(in: .whitespaces)
        }
        guard let body = read(Int(headers["content-length"] ?? "0") ?? 0) else { return nil }
        return Request(line: lines[0], headers: headers, head: head, body: String(decoding: body, as: UTF8.self))
    }

    func readRequests(_ answer: (Request) -> Void) {
        while let request = readRequest() { answer(request) }
    }

    /// Returns false when the client has closed the connection.
    @discardableResult
    func send(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }

    /// A complete answer whose length is true.
    func answer(_ body: String, status: String = "200 OK", headers: String = "") {
        send("HTTP/1.1 \(status)\r\n\(headers)Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
    }

    /// Says nothing until the client has closed the connection.
    func hang() {
        while readByte() != nil {}
    }

    /// Has the close that follows send RST instead of FIN.
    func reset() {
        var option = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
    }

    private func read(_ count: Int) -> [UInt8]? {
        if count == 0 { return [] }
        var bytes = [UInt8](repeating: 0, count: count)
        let received = recv(descriptor, &bytes, count, Int32(MSG_WAITALL))
        return received == count ? bytes : nil
    }

    /// The head is read byte by byte, so that nothing of what follows is taken.
    private func readByte() -> UInt8? {
        var byte: UInt8 = 0
        return recv(descriptor, &byte, 1, 0) == 1 ? byte : nil
    }
}
