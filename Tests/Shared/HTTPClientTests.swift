import Foundation
import HTTPTypes
import Shared
import Synchronization
import Testing

/// Runs `body` with a client and a server that serves each connection with `serve`, and ends both.
func withHostileServer(
    configuration: HTTPClientConfiguration = .init(), _ serve: @escaping @Sendable (HostilePeer) -> Void,
    _ body: (HTTPClient, HostileServer) async throws -> Void
) async throws {
    let server = try HostileServer(serve)
    let client = HTTPClient(configuration: configuration)
    do {
        try await body(client, server)
    } catch {
        await client.shutdown()
        await server.stop()
        throw error
    }
    await client.shutdown()
    await server.stop()
}

/// Answers each request with its request line, its `X-Echo` field and its body, and the client's port.
@Sendable private func echo(_ peer: HostilePeer) {
    peer.readRequests { request in
        let headers = "X-Echo: \(request.headers["x-echo"] ?? "")\r\nX-Port: \(peer.port)\r\n"
        peer.answer("\(request.line)\n\(request.body)", headers: headers)
    }
}

/// Answers each request with its whole head.
@Sendable private func echoHead(_ peer: HostilePeer) {
    peer.readRequests { peer.answer($0.head) }
}

private func name(_ text: String) throws -> HTTPField.Name {
    try #require(HTTPField.Name(text))
}

@Suite(.timeLimit(.minutes(1)))
struct HTTPClientTests {
    @Test func getAndPostCarryBodyAndHeaders() async throws {
        try await withHostileServer(echo) { client, server in
            let get = try await client.execute(
                HTTPClientRequest(url: "\(server.url)/a?b=c", headers: [name("X-Echo"): "one"], timeout: .seconds(5)))
            #expect(get.status == 200)
            #expect(try get.headers[name("x-echo")] == "one")
            #expect(get.body == Data("GET /a?b=c HTTP/1.1\n".utf8))

            let post = try await client.execute(
                HTTPClientRequest(
                    method: .post, url: "\(server.url)/p", headers: [.contentType: "application/json"],
                    body: Data(#"{"name":"ü"}"#.utf8), timeout: .seconds(5)))
            #expect(post.body == Data("POST /p HTTP/1.1\n{\"name\":\"ü\"}".utf8))
        }
    }

    @Test(arguments: [
        (HTTPRequest.Method.post, "0" as String?), (.put, "0"), (.patch, "0"), (.delete, nil), (.get, nil),
        (.options, nil),
    ])
    func methodsWithoutBody(method: HTTPRequest.Method, length: String?) async throws {
        let seen = Mutex<HostilePeer.Request?>(nil)
        try await withHostileServer { peer in
            peer.readRequests { request in
                seen.withLock { $0 = request }
                peer.answer("ok")
            }
        } _: { client, server in
            let response = try await client.execute(
                HTTPClientRequest(method: method, url: "\(server.url)/x", timeout: .seconds(5)))
            #expect(response.body == Data("ok".utf8))
            let request = try #require(seen.withLock { $0 })
            #expect(request.line == "\(method.rawValue) /x HTTP/1.1")
            #expect(request.headers["content-length"] == length)
            #expect(request.headers["content-type"] == nil)
        }
    }

    @Test func headHasNoBodyAndKeepsItsLength() async throws {
        try await withHostileServer { peer in
            peer.readRequests { _ in peer.send("HTTP/1.1 200 OK\r\nContent-Length: 5000000\r\n\r\n") }
        } _: { client, server in
            for _ in 1...2 {
                let response = try await client.execute(
                    HTTPClientRequest(method: .head, url: server.url, timeout: .seconds(5), maxResponseBytes: 10))
                #expect(response.body.isEmpty)
                #expect(response.headers[.contentLength] == "5000000")
            }
            #expect(server.accepted == 1)
        }
    }

    @Test func connectionIsKeptAliveAndSeenAsReused() async throws {
        try await withHostileServer(echo) { client, server in
            let request = HTTPClientRequest(url: server.url, timeout: .seconds(5))
            let first = try await client.execute(request)
            let second = try await client.execute(request)
            #expect(!first.timings.reusedConnection)
            #expect(second.timings.reusedConnection)
            #expect(try first.headers[name("X-Port")] == second.headers[name("X-Port")])
            #expect(server.accepted == 1)
            #expect(first.timings.connect > .zero)
            #expect(first.timings.connect <= first.timings.firstByte)
            #expect(first.timings.firstByte <= first.timings.total)
            #expect(first.timings.total < .seconds(5))
        }
    }

    @Test func concurrentRequestsGetTheirOwnAnswers() async throws {
        let configuration = HTTPClientConfiguration(maxConnectionsPerHost: 8, maxInFlight: 50)
        try await withHostileServer(configuration: configuration, echo) { client, server in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<200 {
                    group.addTask {
                        let response = try await client.execute(
                            HTTPClientRequest(
                                method: .post, url: "\(server.url)/\(number)", body: Data("body \(number)".utf8),
                                timeout: .seconds(20)))
                        #expect(response.body == Data("POST /\(number) HTTP/1.1\nbody \(number)".utf8))
                    }
                }
                try await group.waitForAll()
            }
            #expect(server.accepted <= 8)
        }
    }

    @Test func interimAnswersAndTrailersAreNotTheAnswer() async throws {
        try await withHostileServer { peer in
            peer.readRequests { _ in
                peer.send("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
                peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-Kind:  final \r\n\r\n")
                peer.send("5\r\nhello\r\n6\r\n world\r\n0\r\nX-Kind: trailer\r\nX-Late: 1\r\n\r\n")
            }
        } _: { client, server in
            let response = try await client.execute(HTTPClientRequest(url: server.url, timeout: .seconds(5)))
            #expect(response.status == 200)
            #expect(response.body == Data("hello world".utf8))
            #expect(try response.headers[values: name("X-Kind")] == ["final"])
            #expect(try response.headers[name("Link")] == nil)
            #expect(try response.headers[name("X-Late")] == nil)
        }
    }

    @Test func redirectsAreAnswersAndDotSegmentsStay() async throws {
        try await withHostileServer { peer in
            peer.readRequests { peer.answer($0.line, status: "302 Found", headers: "Location: /elsewhere\r\n") }
        } _: { client, server in
            let response = try await client.execute(
                HTTPClientRequest(url: "\(server.url)/check/..", timeout: .seconds(5)))
            #expect(response.status == 302)
            #expect(response.body == Data("GET /check/.. HTTP/1.1".utf8))
        }
    }

    // MARK: What is sent

    @Test func deadlineIsSentAndShrinks() async throws {
        try await withHostileServer { peer in
            peer.readRequests { peer.answer($0.headers["x-request-deadline-ms"] ?? "none") }
        } _: { client, server in
            func deadlineSent(_ headers: HTTPFields = [:]) async throws -> Int {
                let response = try await client.execute(
                    HTTPClientRequest(url: server.url, headers: headers, timeout: .seconds(30)))
                return try #require(Int(String(decoding: response.body, as: UTF8.self)))
            }
            #expect(try await deadlineSent() == 30_000)
            #expect(try await deadlineSent([.requestDeadline: "77"]) == 77)
            let within = try await RequestDeadline.$current.withValue(RequestDeadline(after: .seconds(9))) {
                try await deadlineSent()
            }
            #expect((1..<9_000).contains(within))
            let loose = try await RequestDeadline.$current.withValue(RequestDeadline(after: .seconds(90))) {
                try await deadlineSent()
            }
            #expect(loose == 30_000)
        }
    }

    @Test func passedDeadlineSendsNothing() async throws {
        try await withHostileServer(echo) { client, server in
            let request = HTTPClientRequest(url: server.url, timeout: .seconds(5))
            await RequestDeadline.$current.withValue(RequestDeadline(after: .zero)) {
                await #expect(throws: HTTPClientError.timedOut) { try await client.execute(request) }
            }
            #expect(server.accepted == 0)
        }
    }

    @Test func traceIsSentOn() async throws {
        try await withHostileServer { peer in
            peer.readRequests { peer.answer($0.headers["traceparent"] ?? "none") }
        } _: { client, server in
            func traceSent(_ headers: HTTPFields = [:]) async throws -> String {
                let response = try await client.execute(
                    HTTPClientRequest(url: server.url, headers: headers, timeout: .seconds(5)))
                return String(decoding: response.body, as: UTF8.self)
            }
            #expect(try await traceSent() == "none")
            let trace = TraceContext()
            try await TraceContext.$current.withValue(trace) {
                let sent = try await traceSent()
                #expect(sent.wholeMatch(of: /00-[0-9a-f]{32}-[0-9a-f]{16}-01/) != nil)
                #expect(sent.prefix(36) == trace.traceparent.prefix(36), "the same trace")
                #expect(sent != trace.traceparent, "another span")
                #expect(try await traceSent([name("traceparent"): "mine"]) == "mine")
            }
        }
    }

    @Test func headersOfTheClient() async throws {
        try await withHostileServer(echoHead) { client, server in
            let framing: HTTPFields = [
                .contentLength: "3", .transferEncoding: "chunked", .connection: "close", .expect: "100-continue",
                try name("X-Empty"): "", try name("Host"): "elsewhere",
            ]
            let body = Data(repeating: 65, count: 2_000_000)
            let response = try await client.execute(
                HTTPClientRequest(
                    method: .post, url: server.url, headers: framing, body: body, timeout: .seconds(20)))
            let lines = String(decoding: response.body, as: UTF8.self).components(separatedBy: "\r\n")
            #expect(lines.contains("User-Agent: payment-chaos/1.0"))
            #expect(lines.contains("Content-Length: 2000000"))
            #expect(lines.contains("Host: elsewhere"))
            #expect(lines.contains { $0.hasPrefix("X-Empty:") })
            for absent in ["Expect", "Connection", "Transfer-Encoding", "Accept-Encoding", "Content-Type"] {
                #expect(!lines.contains { $0.hasPrefix(absent) }, "\(absent)")
            }
        }
    }

    @Test func lineBreaksNeverGetIntoTheRequest() async throws {
        try await withHostileServer(echoHead) { client, server in
            let injected = try await client.execute(
                HTTPClientRequest(
                    url: server.url, headers: [name("X-A"): "1\r\nX-Injected: 2\n\nGET /"], timeout: .seconds(5)))
            let lines = String(decoding: injected.body, as: UTF8.self).components(separatedBy: .newlines)
            #expect(!lines.contains { $0.hasPrefix("X-Injected") || $0.hasPrefix("GET /") && $0 != lines[0] })
            #expect(server.accepted == 1)
        }
    }

    @Test(arguments: [
        "/a\r\nX-Injected: 1", "/a b", "/ü", "/\u{0}", "/\(String(repeating: "a", count: 9000))",
    ])
    func malformedURLsAreRefused(path: String) async throws {
        try await withHostileServer(echo) { client, server in
            await #expect(throws: HTTPClientError.invalidURL) {
                try await client.execute(HTTPClientRequest(url: server.url + path, timeout: .seconds(5)))
            }
            #expect(server.accepted == 0)
        }
    }

    @Test(arguments: [
        "", "127.0.0.1", "/path", "file:///etc/hostname", "ftp://127.0.0.1/", "http://", "http:///x", "http://?a",
        "http://user:secret@127.0.0.1:1/", "http://127.0.0.1:99999/",
    ])
    func otherURLsAreRefused(url: String) async throws {
        let client = HTTPClient()
        await #expect(throws: HTTPClientError.invalidURL) {
            try await client.execute(HTTPClientRequest(url: url, timeout: .seconds(5)))
        }
        await client.shutdown()
    }

    @Test func bodyIsDecoded() async throws {
        struct Answer: Decodable, Equatable {
            let count: Int
        }
        try await withHostileServer { peer in
            peer.readRequests { _ in peer.answer(#"{"count": 3}"#) }
        } _: { client, server in
            let response = try await client.execute(HTTPClientRequest(url: server.url, timeout: .seconds(5)))
            #expect(try response.decode(Answer.self) == Answer(count: 3))
            #expect(throws: DecodingError.self) { try response.decode([String].self) }
        }
    }
}
