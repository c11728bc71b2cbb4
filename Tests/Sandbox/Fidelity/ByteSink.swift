import Glibc
import Shared
import Synchronization
import TestSupport

@testable import Sandbox

/// Takes all bytes of a connection on one host of the lab, and tells when it had them.
final class ByteSink: Sendable {
    private let listening: TestSocket

    init(on host: String) async throws {
        listening = try await on(host) { try TestSocket.bound(SOCK_STREAM, "0.0.0.0") }
    }

    /// From the first byte sent by `host` until all of them are here.
    func secondsToTake(_ count: Int, from host: String, to address: String) async throws -> Double {
        let port = listening.port
        let sender = try await on(host) { try TestSocket.connected(to: address, port: port) }
        let listening = listening
        async let end = onThread {
            let (accepted, _) = try listening.accepted()
            _ = try accepted.receiveToEnd()
            return MonotonicClock.now
        }
        let start = MonotonicClock.now
        try await onThread {
            try sender.send([UInt8](repeating: 7, count: count))
            sender.finishSending()
        }
        return Double(try await end - start) / 1e9
    }
}
