import Foundation
import Glibc
import HTTPTypes
import Shared
import Synchronization
import Testing

/// Answers that are read while they come.
@Suite(.timeLimit(.minutes(1)))
struct HTTPClientStreamTests {
    private func request(_ server: HostileServer, timeout: Duration = .seconds(20)) -> HTTPClientRequest {
        HTTPClientRequest(url: server.url, timeout: timeout)
    }

    private static let head = "HTTP/1.1 200 OK\r\nX-Kind: stream\r\nTransfer-Encoding: chunked\r\n\r\n"

    @Test func theHeadIsThereBeforeTheBodyAndPiecesComeAsTheyAreSent() async throws {
        let mayGoOn = Atomic<Int>(0)
        try await withHostileServer { peer in
            guard peer.readRequest() != nil else { return }
            peer.send(Self.head)
            for (index, piece) in ["4\r\none\n\r\n", "4\r\ntwo\n\r\n", "0\r\n\r\n"].enumerated() {
                while mayGoOn.load(ordering: .acquiring) <= index { usleep(1000) }
                peer.send(piece)
            }
        } _: { client, server in
            let pieces = try await client.withStream(request(server), silence: .seconds(10)) { stream in
                #expect(stream.status == 200)
                #expect(stream.headers[.init("X-Kind")!] == "stream")
                var pieces: [String] = []
                mayGoOn.add(1, ordering: .releasing)
                for try await piece in stream {
                    pieces.append(String(decoding: piece, as: UTF8.self))
                    mayGoOn.add(1, ordering: .releasing)
                }
                return pieces
            }
            #expect(pieces == ["one\n", "two\n"])
        }
    }

    @Test func silenceEndsAStreamAndTricklingDoesNot() async throws {
        try await withHostileServer { peer in
            guard peer.readRequest() != nil else { return }
            peer.send(Self.head)
            // Together much longer than the silence that is allowed.
            for _ in 0..<10 {
                usleep(250_000)
                peer.send("1\r\nx\r\n")
            }
            peer.hang()
        } _: { client, server in
            let count = Atomic<Int>(0)
            await #expect(throws: HTTPClientError.timedOut) {
                try await client.withStream(request(server), silence: .seconds(2)) { stream in
                    for try await piece in stream { count.add(piece.count, ordering: .relaxed) }
                }
            }
            #expect(count.load(ordering: .relaxed) == 10)
            #expect(await HostileServer.wait { server.open == 0 }, "the connection is closed")
        }
    }

    @Test func theTotalDeadlineEndsAStreamThatGoesOn() async throws {
        try await withHostileServer { peer in
            guard peer.readRequest() != nil else { return }
            peer.send(Self.head)
            while peer.send("1\r\nx\r\n") { usleep(10_000) }
        } _: { client, server in
            await #expect(throws: HTTPClientError.timedOut) {
                try await client.withStream(request(server, timeout: .milliseconds(400)), silence: .seconds(10)) {
                    for try await _ in $0 {}
                }
            }
        }
    }

    @Test func aServerThatNeverAnswersIsSilent() async throws {
        try await withHostileServer({ $0.hang() }) { client, server in
            await #expect(throws: HTTPClientError.timedOut) {
                try await client.withStream(request(server), silence: .milliseconds(200)) { _ in }
            }
        }
    }

    @Test func aSlowReaderHoldsTheServerBackAndLosesNothing() async throws {
        let total = 8 * 1024 * 1024
        let sent = Atomic<Int>(0)
        try await withHostileServer { peer in
            guard peer.readRequest() != nil else { return }
            peer.send("HTTP/1.1 200 OK\r\nContent-Length: \(total)\r\n\r\n")
            let part = String(repeating: "x", count: 64 * 1024)
            for _ in 0..<(total / part.utf8.count) where peer.send(part) {
                sent.add(part.utf8.count, ordering: .releasing)
            }
        } _: { client, server in
            // Longer silent than allowed, but that is the reader's doing.
            let received = try await client.withStream(
                request(server), silence: .seconds(1), bufferBytes: 64 * 1024
            ) { stream in
                var before = -1
                while before != sent.load(ordering: .acquiring) {
                    before = sent.load(ordering: .acquiring)
                    try await Task.sleep(for: .milliseconds(1200))
                }
                #expect(before < total, "the server has to wait for the reader")
                var received = 0
                for try await piece in stream { received += piece.count }
                return received
            }
            #expect(received == total)
        }
    }

    @Test func leavingEarlyClosesTheConnection() async throws {
        try await withHostileServer { peer in
            guard peer.readRequest() != nil else { return }
            peer.send(Self.head)
            while peer.send("1\r\nx\r\n") { usleep(5000) }
        } _: { client, server in
            let first = try await client.withStream(request(server), silence: .seconds(10)) { stream in
                for try await piece in stream { return piece.count }
                return 0
            }
            #expect(first > 0)
            #expect(await HostileServer.wait { server.open == 0 }, "the connection is closed")
        }
    }

    @Test func aBrokenStreamFails() async throws {
        try await withHostileServer { peer in
            guard peer.readRequest() != nil else { return }
            peer.send(Self.head + "4\r\none\n\r\n")
        } _: { client, server in
            var pieces = 0
            do {
                pieces = try await client.withStream(request(server), silence: .seconds(10)) { stream in
                    var pieces = 0
                    do {
                        for try await _ in stream { pieces += 1 }
                        Issue.record("a stream without its end is not whole")
                    } catch {
                        #expect(error as? HTTPClientError == .connectionLost)
                    }
                    return pieces
                }
            }
            #expect(pieces == 1)
        }
    }

    @Test func aCancelledReaderEndsAtOnce() async throws {
        try await withHostileServer { peer in
            guard peer.readRequest() != nil else { return }
            peer.send(Self.head)
            peer.hang()
        } _: { client, server in
            let isReading = Atomic<Bool>(false)
            let reader = Task {
                try await client.withStream(request(server), silence: .seconds(20)) { stream in
                    isReading.store(true, ordering: .releasing)
                    for try await _ in stream {}
                }
            }
            #expect(await HostileServer.wait { isReading.load(ordering: .acquiring) })
            reader.cancel()
            await #expect(throws: CancellationError.self) { try await reader.value }
            #expect(await HostileServer.wait { server.open == 0 }, "the connection is closed")
        }
    }
}
