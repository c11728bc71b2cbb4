import Foundation
import Synchronization

/// A TCP connection to a port of loopback, spoken to byte by byte: for what no HTTP library would send, and to see
/// exactly what came back.
///
/// Reads and writes block a thread of their own, never one that the server under test needs.
public final class RawConnection: Sendable {
    /// Everything ends after this; a test that gets here has failed.
    private static let timeoutSeconds = 10

    private let descriptor: Int32
    private let received = Mutex(Data())

    public struct Failure: Error {
        public let call: String
        public let code: Int32
    }

    /// - Parameter receiveBufferBytes: what the kernel keeps of what is not read; nil for its usual.
    public init(port: Int, receiveBufferBytes: Int32? = nil) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw Failure(call: "socket", code: errno) }
        if var bytes = receiveBufferBytes {
            setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &bytes, socklen_t(MemoryLayout<Int32>.size))
        }
        var timeout = timeval(tv_sec: Self.timeoutSeconds, tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            setsockopt(descriptor, SOL_SOCKET, option, &timeout, socklen_t(MemoryLayout<timeval>.size))
        }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, size) }
        }
        // What is whole when its init throws is deinitialized, and closes its descriptor there.
        guard result == 0 else { throw Failure(call: "connect", code: errno) }
    }

    deinit { close(descriptor) }

    /// Sends all of the bytes.
    public func send(_ bytes: Data) async throws {
        try await onThread { [self] in
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = rest.withUnsafeBytes {
                    Foundation.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                }
                guard count > 0 else { throw Failure(call: "send", code: errno) }
                rest = rest.dropFirst(count)
            }
        }
    }

    public func send(_ text: String) async throws { try await send(Data(text.utf8)) }

    /// Reads until what has been received since the connection was made contains `text`.
    ///
    /// - Returns: everything received so far.
    /// - Throws: ``Failure`` when the peer closes first or is silent for 10 s.
    @discardableResult
    public func receive(until text: String) async throws -> String {
        let wanted = Data(text.utf8)
        return try await onThread { [self] in
            while true {
                let data = received.withLock { $0 }
                if data.range(of: wanted) != nil { return String(decoding: data, as: UTF8.self) }
                guard try receiveMore() else { throw Failure(call: "recv: closed before \(text)", code: 0) }
            }
        }
    }

    /// Reads until the peer closes.
    public func receiveToEnd() async throws -> Data {
        try await onThread { [self] in
            while try receiveMore() {}
            return received.withLock { $0 }
        }
    }

    /// What has arrived and was not received yet, up to 64 KiB; empty when the peer has closed, nil when there is nothing.
    public func receiveNow() throws -> Data? {
        var buffer = [UInt8](repeating: 0, count: 65536)
        let count = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
        if count < 0, errno == EAGAIN || errno == EWOULDBLOCK { return nil }
        guard count >= 0 else { throw Failure(call: "recv", code: errno) }
        return Data(buffer[..<count])
    }

    /// Closes both directions; the peer sees the end.
    public func disconnect() { shutdown(descriptor, Int32(SHUT_RDWR)) }

    private func receiveMore() throws -> Bool {
        var buffer = [UInt8](repeating: 0, count: 65536)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        // A server that refuses a body closes with bytes unread, which resets the connection after its answer.
        if count < 0, errno == ECONNRESET { return false }
        guard count >= 0 else { throw Failure(call: "recv", code: errno) }
        received.withLock { $0.append(contentsOf: buffer[..<count]) }
        return count > 0
    }
}
