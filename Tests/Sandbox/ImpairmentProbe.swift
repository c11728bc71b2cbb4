import Experiments
import Glibc
import Shared
import Synchronization
import TestSupport

@testable import Sandbox

/// Numbered datagrams from one host of the lab to another, and how each arrived.
final class Probe: Sendable {
    struct Arrival: Sendable {
        let number: Int
        /// Just before it was sent, and when it was received. Both hosts share a clock.
        let sentNs: Int64
        let cameNs: Int64
        var afterMs: Double { Double(cameNs - sentNs) / 1e6 }
    }

    private static let pause = Int64(-1)
    private let receiver: TestSocket
    private let sender: TestSocket
    private let router: TestSocket
    private let came = Mutex([Arrival]())
    private let pauses = Mutex(0)

    init(from source: String, to host: String, _ address: String) async throws {
        let receiver = try await on(host) { try TestSocket.bound(SOCK_DGRAM, "0.0.0.0") }
        let port = receiver.port
        let connect: @Sendable () throws -> TestSocket = {
            try TestSocket.connected(SOCK_DGRAM, to: address, port: port)
        }
        self.receiver = receiver
        sender = try await on(source, connect)
        router = try await onThread(connect)
        BlockingThread.start { [weak self] in
            while let datagram = try? receiver.receive(2048), let self {
                let now = MonotonicClock.now
                let words = datagram.withUnsafeBytes { bytes in
                    (bytes.loadUnaligned(as: Int64.self), bytes.loadUnaligned(fromByteOffset: 8, as: Int64.self))
                }
                if words.0 == Self.pause {
                    pauses.withLock { $0 += 1 }
                } else {
                    came.withLock { $0.append(Arrival(number: Int(words.0), sentNs: words.1, cameNs: now)) }
                }
            }
        }
    }

    /// Sends datagrams and waits until all have arrived; for faults that lose none.
    func send(_ count: Int, everyMs: Int, bytes: Int = 16) async throws -> [Arrival] {
        for number in 0..<count {
            try sender.send(Self.datagram(Int64(number), bytes))
            if everyMs > 0 { try await Task.sleep(for: .milliseconds(everyMs)) }
        }
        return try await arrivals(atLeast: count)
    }

    /// Sends datagrams as fast as the receiver can read them: after each 50 it waits for one from the router, which no
    /// fault touches.
    ///
    /// - Parameters:
    ///   - allArrive: whether the fault loses none: then those 50 are waited for too, so that a slow worker cannot let
    ///     go more at once than the receiver has room for.
    ///   - areTaken: whether that many are out of the queue before the worker, which has room for some hundreds.
    func pour(
        _ count: Int, allArrive: Bool = false, areTaken: (_ sent: Int) async throws -> Bool = { _ in true }
    ) async throws {
        for first in stride(from: 0, to: count, by: 50) {
            for number in first..<min(first + 50, count) { try sender.send(Self.datagram(Int64(number), 16)) }
            let passed = pauses.withLock { $0 }
            try router.send(Self.datagram(Self.pause, 16))
            try await eventually("a pause") { pauses.withLock { $0 > passed } }
            let sent = min(first + 50, count)
            try await eventually("\(sent) taken") { try await areTaken(sent) }
            if allArrive {
                try await eventually("\(sent) arrivals") { came.withLock { Set($0.map(\.number)).count >= sent } }
            }
        }
    }

    /// All arrivals, once there are that many.
    func arrivals(atLeast count: Int) async throws -> [Arrival] {
        try await eventually("\(count) arrivals") { came.withLock { $0.count >= count } }
        return came.withLock { $0 }
    }

    private static func datagram(_ number: Int64, _ bytes: Int) -> [UInt8] {
        var datagram = [UInt8](repeating: 0, count: bytes)
        datagram.withUnsafeMutableBytes {
            $0.storeBytes(of: number, as: Int64.self)
            $0.storeBytes(of: MonotonicClock.now, toByteOffset: 8, as: Int64.self)
        }
        return datagram
    }
}

/// Reads a line and answers with more bytes than fit one packet, on both inventory hosts.
enum TalkingServer {
    static let port = 5003
    static let answerBytes = 40_000
    private static let started = Task {
        for host in ["inventory-0", "inventory-1"] {
            let socket = try await on(host) { try TestSocket.bound(SOCK_STREAM, "0.0.0.0", port: port) }
            BlockingThread.start {
                while true {
                    guard let (asked, _) = try? socket.accepted() else { continue }
                    // A connection that goes wrong is the asking test's affair.
                    if (try? asked.receive())?.isEmpty == false {
                        try? asked.send([UInt8](repeating: 7, count: answerBytes))
                    }
                }
            }
        }
    }

    /// Once for the whole program.
    static func start() async throws { try await started.value }

    /// How long the connection and the whole took, in milliseconds, and the bytes of the answer.
    static func ask(_ address: String) throws -> (connectMs: Double, totalMs: Double, bytes: Int) {
        let start = MonotonicClock.now
        let socket = try TestSocket.connected(to: address, port: port)
        let connected = MonotonicClock.now
        try socket.send("?")
        let bytes = try socket.receiveToEnd().count
        return (Double(connected - start) / 1e6, Double(MonotonicClock.now - start) / 1e6, bytes)
    }
}
