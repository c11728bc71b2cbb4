import Foundation
import Glibc
import HTTPTypes
import Shared
import Synchronization
import Testing

/// A server that hangs, trickles, resets and lies.
@Suite(.timeLimit(.minutes(1)))
struct HTTPClientFailureTests {
    /// A server that answers each request with `text`, as it is, and then closes the connection.
    private func expectFailure(
        _ expected: HTTPClientError, whenAnswered text: String, maxResponseBytes: Int = 1000,
        configuration: HTTPClientConfiguration = .init(), sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        try await withHostileServer(configuration: configuration) { peer in
            guard peer.readRequest() != nil else { return }
            peer.send(text)
        } _: { client, server in
            let request = HTTPClientRequest(
                url: server.url, timeout: .seconds(5), maxResponseBytes: maxResponseBytes)
            await #expect(throws: expected, sourceLocation: sourceLocation) { try await client.execute(request) }
        }
    }

    // MARK: Time

    @Test func hangingServerTimesOut() async throws {
        try await withHostileServer({ $0.hang() }) { client, server in
            let start = ContinuousClock.now
            await #expect(throws: HTTPClientError.timedOut) {
                try await client.execute(HTTPClientRequest(url: server.url, timeout: .milliseconds(300)))
            }
            let took = start.duration(to: .now)
            #expect(took >= .milliseconds(300))
            #expect(took < .seconds(5))
            #expect(await HostileServer.wait { server.open == 0 }, "the connection is closed")
        }
    }

    @Test func deadlineIsTotalForAServerThatTrickles() async throws {
        try await withHostileServer { peer in
            guard peer.readRequest() != nil else { return }
            peer.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
            while peer.send("x") { usleep(50_000) }
        } _: { client, server in
            let start = ContinuousClock.now
            await #expect(throws: HTTPClientError.timedOut) {
                try await client.execute(HTTPClientRequest(url: server.url, timeout: .milliseconds(300)))
            }
            #expect(start.duration(to: .now) < .seconds(5))
        }
    }

    @Test func requestDeadlineShortensTheTimeout() async throws {
        try await withHostileServer({ $0.hang() }) { client, server in
            let start = ContinuousClock.now
            await RequestDeadline.$current.withValue(RequestDeadline(after: .milliseconds(200))) {
                await #expect(throws: HTTPClientError.timedOut) {
                    try await client.execute(HTTPClientRequest(url: server.url, timeout: .seconds(30)))
                }
            }
            #expect(start.duration(to: .now) < .seconds(5))
        }
    }

    /// One place, taken by a request that hangs: the next one must not wait for longer than it was given.
    @Test(arguments: [
        HTTPClientConfiguration(maxConnectionsPerHost: 1), HTTPClientConfiguration(maxTotalConnections: 1),
        HTTPClientConfiguration(maxInFlight: 1),
    ])
    func waitingForAPlaceCounts(configuration: HTTPClientConfiguration) async throws {
        try await withHostileServer(configuration: configuration, { $0.hang() }) { client, server in
            await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    _ = try await client.execute(HTTPClientRequest(url: server.url, timeout: .seconds(30)))
                }
                #expect(await HostileServer.wait { server.open == 1 })
                let start = ContinuousClock.now
                await #expect(throws: HTTPClientError.timedOut) {
                    try await client.execute(HTTPClientRequest(url: server.url, timeout: .milliseconds(200)))
                }
                #expect(start.duration(to: .now) < .seconds(5))
                #expect(server.accepted == 1)
                group.cancelAll()
                await #expect(throws: CancellationError.self) { try await group.next() }
            }
        }
    }

    // MARK: Connections

    @Test func refusedConnection() async throws {
        let client = HTTPClient()
        let port = try HostileServer.refusedPort()
        await #expect(throws: HTTPClientError.connectFailed) {
            try await client.execute(HTTPClientRequest(url: "http://127.0.0.1:\(port)/", timeout: .seconds(5)))
        }
        await #expect(throws: HTTPClientError.connectFailed) {
            try await client.execute(HTTPClientRequest(url: "http://no-such-host.invalid/", timeout: .seconds(60)))
        }
        await client.shutdown()
    }

    @Test(arguments: ["", "HTTP/1.1 200 OK\r\nContent-Le", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"])
    func resetIsALostConnection(sentBefore text: String) async throws {
        try await withHostileServer { peer in
            guard peer.readRequest() != nil else { return }
            peer.send(text)
            // The client has read what came before when it is reset; else the reset overtakes it.
            usleep(20_000)
            peer.reset()
        } _: { client, server in
            await #expect(throws: HTTPClientError.connectionLost) {
                try await client.execute(HTTPClientRequest(url: server.url, timeout: .seconds(5)))
            }
        }
    }

    @Test(arguments: [
        "", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
    ])
    func closeBeforeTheEndIsALostConnection(text: String) async throws {
        try await expectFailure(.connectionLost, whenAnswered: text)
    }

    // MARK: Answers

    @Test(arguments: [
        "garbage\r\n\r\n", "\u{0}\u{1}\u{2}\u{3}", "HTTP/1.1 abc\r\n\r\n", "SSH-2.0-OpenSSH_9.2\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nabc", "HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\nabc\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nno colon here\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nbad name: 1\r\nContent-Length: 0\r\n\r\n",
    ])
    func whatIsNotHTTPIsMalformed(text: String) async throws {
        try await expectFailure(.malformedResponse, whenAnswered: text)
    }

    /// The surplus must not be taken for the answer to the next request.
    @Test(arguments: [false, true])
    func bodyLongerThanAnnouncedEndsWhereAnnounced(surplusComesLater: Bool) async throws {
        let surplusSent = Atomic<Bool>(false)
        try await withHostileServer { peer in
            guard let first = peer.readRequest() else { return }
            peer.send("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc")
            if first.line.contains("later") { usleep(20_000) }
            peer.send("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged")
            surplusSent.store(true, ordering: .releasing)
            peer.readRequests { _ in peer.answer("second on the same connection") }
        } _: { client, server in
            let path = surplusComesLater ? "later" : "at-once"
            let first = try await client.execute(HTTPClientRequest(url: "\(server.url)/\(path)", timeout: .seconds(5)))
            #expect(first.body == Data("abc".utf8))
            #expect(await HostileServer.wait { surplusSent.load(ordering: .acquiring) })
            let second = try await client.execute(HTTPClientRequest(url: "\(server.url)/2", timeout: .seconds(5)))
            #expect(second.body == Data("abc".utf8), "a fresh connection's first answer")
            #expect(!second.timings.reusedConnection)
        }
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\nx",
        "HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n" + String(repeating: "x", count: 1001),
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            + String(repeating: "64\r\n\(String(repeating: "x", count: 100))\r\n", count: 11) + "0\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\r\n" + String(repeating: "x", count: 1001),
    ])
    func longAnswerIsRefused(text: String) async throws {
        try await expectFailure(.responseTooLarge(limit: 1000), whenAnswered: text)
    }

    @Test func answerAtTheLimitIsTaken() async throws {
        try await withHostileServer { peer in
            peer.readRequests { _ in peer.answer(String(repeating: "x", count: 1000)) }
        } _: { client, server in
            let response = try await client.execute(
                HTTPClientRequest(url: server.url, timeout: .seconds(5), maxResponseBytes: 1000))
            #expect(response.body.count == 1000)
        }
    }

    @Test func headersHaveLimits() async throws {
        let few = HTTPClientConfiguration(maxHeaderFields: 10)
        let many = String(repeating: "X-A: 1\r\n", count: 11)
        try await expectFailure(
            .malformedResponse, whenAnswered: "HTTP/1.1 200 OK\r\n\(many)\r\n", configuration: few)
        let small = HTTPClientConfiguration(maxHeaderBytes: 1000)
        let long = "X-A: \(String(repeating: "a", count: 1000))\r\n"
        try await expectFailure(
            .malformedResponse, whenAnswered: "HTTP/1.1 200 OK\r\n\(long)\r\n", configuration: small)
        let interim = String(repeating: "HTTP/1.1 103 Early Hints\r\n\r\n", count: 100)
        try await expectFailure(
            .malformedResponse, whenAnswered: "\(interim)HTTP/1.1 200 OK\r\n\r\n", configuration: small)
    }

    // MARK: Pooled connections that the server closes

    /// A server whose first connection answers one request and dies on the second, which it has read.
    private func executeOnDyingConnection(
        _ request: (String) -> HTTPClientRequest
    ) async throws -> (result: Result<HTTPClientResponse, any Error>, sent: Int) {
        let requests = Atomic<Int>(0)
        var result: Result<HTTPClientResponse, any Error> = .failure(CancellationError())
        try await withHostileServer { peer in
            var served = 0
            while peer.readRequest() != nil {
                requests.add(1, ordering: .relaxed)
                served += 1
                if peer.number == 1, served == 2 { return }
                peer.answer("from connection \(peer.number)")
            }
        } _: { client, server in
            _ = try await client.execute(HTTPClientRequest(url: server.url, timeout: .seconds(5)))
            do {
                result = .success(try await client.execute(request(server.url)))
            } catch {
                result = .failure(error)
            }
        }
        return (result, requests.load(ordering: .relaxed) - 1)
    }

    @Test func idempotentRequestIsSentAgainOnAFreshConnection() async throws {
        let get = try await executeOnDyingConnection { HTTPClientRequest(url: $0, timeout: .seconds(5)) }
        #expect(try get.result.get().body == Data("from connection 2".utf8))
        #expect(get.sent == 2)
        let key = try #require(HTTPField.Name("Idempotency-Key"))
        let keyed = try await executeOnDyingConnection {
            HTTPClientRequest(method: .post, url: $0, headers: [key: "k"], body: Data("b".utf8), timeout: .seconds(5))
        }
        #expect(try keyed.result.get().body == Data("from connection 2".utf8))
        #expect(keyed.sent == 2)
    }

    @Test(arguments: [Data("b".utf8), nil])
    func otherRequestIsNeverSentTwice(body: Data?) async throws {
        let post = try await executeOnDyingConnection {
            HTTPClientRequest(method: .post, url: $0, body: body, timeout: .seconds(5))
        }
        #expect(throws: HTTPClientError.connectionLost) { try post.result.get() }
        #expect(post.sent == 1)
    }

    /// The usual case: the server closes an idle connection, the client knows, and even a payment goes through.
    @Test func idleConnectionThatWasClosedIsNotUsed() async throws {
        try await withHostileServer { peer in
            guard peer.readRequest() != nil else { return }
            peer.answer("from connection \(peer.number)")
        } _: { client, server in
            let request = HTTPClientRequest(method: .post, url: server.url, body: Data("b".utf8), timeout: .seconds(5))
            for number in 1...3 {
                let response = try await client.execute(request)
                #expect(response.body == Data("from connection \(number)".utf8))
                #expect(await HostileServer.wait { server.open == 0 })
            }
        }
    }
}
