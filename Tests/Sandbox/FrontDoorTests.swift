import Glibc
import Logging
import TestSupport
import Testing

@testable import Sandbox

/// The relay on real sockets; its place in the lab is in LaunchNamespaceTests.
@Suite struct FrontDoorTests {
    @Test func bothHalvesAreCopiedAndEndedSeparately() async throws {
        let server = try TestSocket.bound(SOCK_STREAM)
        try await relaying(to: server.port) { port in
            let serving = Task {
                try await onThread {
                    // Answers only when the request has ended, and its own half is still open then.
                    let (asked, _) = try server.accepted()
                    let request = try asked.receiveToEnd()
                    try asked.send(Array(request.reversed()))
                }
            }
            let answer = try await onThread {
                let client = try TestSocket.connected(to: "127.0.0.1", port: port)
                try client.send("stressed")
                client.finishSending()
                return try client.text()
            }
            #expect(answer == "desserts")
            try await serving.value
        }
    }

    @Test func aSlowReaderHoldsTheSenderBackAndLosesNothing() async throws {
        let server = try TestSocket.bound(SOCK_STREAM)
        let total = 64 << 20
        try await relaying(to: server.port) { port in
            let client = try TestSocket.connected(to: "127.0.0.1", port: port)
            let (serving, _) = try await onThread { try server.accepted() }
            // Nobody reads: what the sender can get rid of is what the kernel and the relay hold.
            let held = try await onThread {
                try #require(fcntl(serving.descriptor, F_SETFL, O_NONBLOCK) == 0)
                let chunk = [UInt8](repeating: 7, count: 1 << 16)
                var sent = 0
                var stuck = 0
                while sent < total && stuck < 20 {
                    let count = send(serving.descriptor, chunk, chunk.count, Int32(MSG_NOSIGNAL))
                    stuck = count > 0 ? 0 : stuck + 1
                    sent += max(0, count)
                    if count <= 0 { usleep(5000) }
                }
                serving.finishSending()
                return sent
            }
            #expect(held < total, "all of it went into the relay's memory")
            let received = try await onThread { try client.receiveToEnd().count }
            #expect(received == held)
        }
    }

    @Test func aServiceThatIsDownResetsTheConnection() async throws {
        let gone = try TestSocket.bound(SOCK_STREAM).port
        try await relaying(to: gone) { port in
            await #expect(throws: SocketError(call: "recv", code: ECONNRESET)) {
                _ = try await onThread { try TestSocket.connected(to: "127.0.0.1", port: port).receive() }
            }
        }
    }

    @Test func aConnectionThatTheServiceResetsIsReset() async throws {
        let server = try TestSocket.bound(SOCK_STREAM)
        try await relaying(to: server.port) { port in
            let client = try TestSocket.connected(to: "127.0.0.1", port: port)
            try await onThread {
                let (asked, _) = try server.accepted()
                var reset = linger(l_onoff: 1, l_linger: 0)
                setsockopt(asked.descriptor, SOL_SOCKET, SO_LINGER, &reset, socklen_t(MemoryLayout<linger>.size))
            }
            await #expect(throws: SocketError(call: "recv", code: ECONNRESET)) {
                _ = try await onThread { try client.receive() }
            }
        }
    }

    @Test func theLimitMakesOthersWaitTheirTurn() async throws {
        let server = try TestSocket.bound(SOCK_STREAM)
        try await relaying(to: server.port, limit: 1) { port in
            let clients = try (0..<2).map { _ in try TestSocket.connected(to: "127.0.0.1", port: port) }
            for (index, client) in clients.enumerated() { try client.send([UInt8(index)]) }
            let served = try await onThread {
                // Which one comes first is the event loops' affair.
                let (asked, _) = try server.accepted()
                let first = try asked.receive()[0]
                var arrival = pollfd(fd: server.descriptor, events: Int16(POLLIN), revents: 0)
                #expect(poll(&arrival, 1, 50) == 0, "the second came before the first had ended")
                clients[Int(first)].finishSending()
                #expect(try asked.receive() == [])
                asked.finishSending()
                return [first, try server.accepted().0.receive()[0]]
            }
            #expect(served.sorted() == [0, 1])
        }
    }

    @Test func theEndClosesWhatIsOpen() async throws {
        let server = try TestSocket.bound(SOCK_STREAM)
        let ports = try await relaying(to: server.port) { port in
            let client = try TestSocket.connected(to: "127.0.0.1", port: port)
            let (asked, _) = try await onThread { try server.accepted() }
            return (port, client, asked)
        }
        #expect(throws: SocketError.self) { _ = try ports.1.receive() }
        #expect(throws: SocketError.self) { _ = try ports.2.receive() }
        #expect(throws: SocketError(call: "connect", code: ECONNREFUSED)) {
            try TestSocket.connected(to: "127.0.0.1", port: ports.0)
        }
    }

    /// Those that wait behind the limit are in nobody's hands when the end comes.
    @Test func theEndClosesWhatWaits() async throws {
        let server = try TestSocket.bound(SOCK_STREAM)
        let (clients, _) = try await relaying(to: server.port, limit: 1) { port in
            let clients = try (0..<6).map { _ in try TestSocket.connected(to: "127.0.0.1", port: port) }
            let (asked, _) = try await onThread { try server.accepted() }
            try await eventually("all are accepted") { try Self.backlog(of: port) == 0 }
            return (clients, asked)
        }
        for client in clients {
            let hasEnded = try await onThread {
                do { return try client.receive().isEmpty } catch let error as SocketError {
                    return error.code == ECONNRESET
                }
            }
            #expect(hasEnded)
        }
    }

    /// How many connections the kernel has established and nobody accepted: the receive queue of a listening socket.
    private static func backlog(of port: Int) throws -> Int {
        let lines = try #require(SystemFile.text("/proc/self/net/tcp")).split(separator: "\n").map {
            $0.split(separator: " ")
        }
        let suffix = ":" + String(String(port + 0x10000, radix: 16, uppercase: true).dropFirst())
        let listener = try #require(lines.first { $0.count > 4 && $0[1].hasSuffix(suffix) && $0[3] == "0A" })
        return try #require(Int(listener[4].suffix(8), radix: 16))
    }

    @discardableResult
    private func relaying<Result: Sendable>(
        to server: Int, limit: Int = 16, _ body: @Sendable (Int) async throws -> Result
    ) async throws -> Result {
        let door = try #require(try FrontDoorSockets.bind([("test", 0)]).listeners.first)
        let front = FrontDoor(
            routes: [.init(descriptor: door.descriptor, host: "127.0.0.1", port: server)], connectionLimit: limit,
            logger: Logger(label: "front-door"))
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await front.run() }
            defer { group.cancelAll() }
            return try await body(door.port)
        }
    }
}
