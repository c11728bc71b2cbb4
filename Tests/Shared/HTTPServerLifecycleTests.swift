import Foundation
import Hummingbird
import Logging
import ServiceLifecycle
import Shared
import TestSupport
import Testing

/// Limits, deadlines, traces and the end of a server, over real sockets.
struct HTTPServerLifecycleTests {
    // MARK: Deadline

    private static let deadlineRoute = Route.get("/deadline") { _, _ in
        try .json(["left_ms": RequestDeadline.current?.remaining.milliseconds])
    }

    @Test func theDeadlineReachesTheHandler() async throws {
        try await withServer(routes: [Self.deadlineRoute]) { server in
            let answer = try await server.get("/deadline", headers: ["X-Request-Deadline-Ms": "60000"]).json()
            let left = try #require(Double(answer["left_ms"].map { "\(JSONText($0))" } ?? ""))
            #expect(left > 0 && left <= 60_000)
            #expect(try await server.get("/deadline").json()["left_ms"] == .null)
        }
    }

    @Test(arguments: ["abc", "-1", "1.5", "3600001", "99999999999999999999", "5, 6", "0x10"])
    func aMalformedDeadlineIs400(value: String) async throws {
        try await withServer(routes: [Self.deadlineRoute]) { server in
            let answer = try await server.get("/deadline", headers: ["X-Request-Deadline-Ms": value])
            try expectProblem(answer, status: 400, title: "Bad Request")
        }
    }

    @Test func aRequestWhoseDeadlineHasPassedReachesNoHandler() async throws {
        let gate = Gate()
        let route = Route.get("/work") { _, _ in
            try await gate.wait()
            return try .json(1)
        }
        try await withServer(routes: [route]) { server in
            let answer = try await server.get("/work", headers: ["X-Request-Deadline-Ms": "0"])
            try expectProblem(answer, status: 504, title: "Gateway Timeout")
            #expect(answer.text.contains("timeout"))
            #expect(gate.arrived == 0)
        }
    }

    // MARK: Trace

    private static let traceRoute = Route.get("/trace") { _, context in
        context.logger.info("inside")
        return try .json(["trace": TraceContext.current?.traceparent])
    }

    @Test func aTraceIsTakenOn() async throws {
        let traceID = "0af7651916cd43dd8448eb211c80319c"
        try await withServer(routes: [Self.traceRoute]) { server in
            let answer = try await server.get(
                "/trace", headers: ["traceparent": "00-\(traceID)-b7ad6b7169203331-01"])
            let trace = try #require(try answer.json()["trace"]?.text)
            #expect(trace.hasPrefix("00-\(traceID)-") && trace.hasSuffix("-01"))
            #expect(!trace.contains("b7ad6b7169203331"))
            #expect(answer.headers["traceresponse"] == trace)
            let lines = try server.log.lines.map { try JSONDecoder().decode(JSONValue.self, from: $0) }
            let ofRequest = lines.filter { $0["trace_id"] == .string(traceID) }.compactMap { $0["message"]?.text }
            #expect(ofRequest == ["inside", "request"])
        }
    }

    @Test(arguments: [nil, "nonsense", "00-00000000000000000000000000000000-b7ad6b7169203331-01"])
    func aNewTraceIsMade(header: String?) async throws {
        try await withServer(routes: [Self.traceRoute]) { server in
            var seen = Set<String>()
            for _ in 0..<3 {
                let answer = try await server.get("/trace", headers: header.map { ["traceparent": $0] } ?? [:])
                let trace = try #require(answer.headers["traceresponse"].flatMap(TraceContext.init(traceparent:)))
                seen.insert(trace.traceID)
            }
            #expect(seen.count == 3)
        }
    }

    // MARK: Telemetry

    @Test func metricsCountEveryRequestByTemplate() async throws {
        let routes: [Route] = [.get("/things/{id}") { _, _ in try .json(1) }]
        try await withServer(routes: routes) { server in
            for path in ["/things/1", "/things/2", "/nothing-1", "/nothing-2"] { _ = try await server.get(path) }
            _ = try await server.post("/things/1", json: "{}")
            let answer = try await server.get("/metrics")
            #expect(answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8")
            let lines = answer.text.split(separator: "\n").map(String.init)
            for (labels, count) in [
                (#"method="GET",route="/things/{id}",status="200""#, 2),
                (#"method="GET",route="NotFound",status="404""#, 2),
                (#"method="POST",route="/things/{id}",status="405""#, 1),
            ] {
                #expect(lines.contains("http_server_requests_total{\(labels)} \(count)"))
                #expect(lines.contains("http_server_request_duration_seconds_count{\(labels)} \(count)"))
            }
            let sample = /[a-zA-Z_:][a-zA-Z0-9_:]*(\{([a-zA-Z_]\w*="([^"\\]|\\["\\n])*",?)*\})? -?[0-9.e+-]+/
            for line in lines where !line.hasPrefix("# TYPE ") {
                #expect(line.wholeMatch(of: sample) != nil, "\(line)")
            }
        }
    }

    @Test func theAccessLogHasStatusAndDuration() async throws {
        try await withServer(routes: []) { server in
            _ = try await server.get("/nothing?card=4242424242424242")
            _ = try await server.get("/health")
            let lines = try server.log.lines.map { try JSONDecoder().decode(JSONValue.self, from: $0) }
            let requests = lines.filter { $0["message"] == .string("request") }
            #expect(requests.count == 1, "a probe that succeeds is not logged")
            #expect(requests.first?["status"] == .integer(404))
            #expect(requests.first?["path"] == .string("/nothing"))
            #expect(requests.first?["duration_ms"]?.text == nil && requests.first?["duration_ms"] != nil)
        }
    }

    // MARK: Limits

    @Test func requestsBeyondTheLimitAreShed() async throws {
        let gate = Gate()
        let route = Route.get("/work") { _, _ in
            try await gate.wait()
            return try .json(1)
        }
        try await withServer(routes: [route], configure: { $0.maxRequestsInFlight = 2 }) { server in
            async let first = server.get("/work")
            async let second = server.get("/work")
            try await eventually { gate.arrived == 2 }
            let shed = try await server.get("/work")
            try expectProblem(shed, status: 503, title: "Service Unavailable")
            #expect(shed.headers["retry-after"] == "1")
            #expect(try shed.json()["retry_after"] == .integer(1))
            for path in ["/health", "/health/ready", "/metrics"] { #expect(try await server.get(path).status == 200) }
            gate.open()
            #expect(try await [first.status, second.status] == [200, 200])
            #expect(try await server.get("/work").status == 200, "the places are free again")
        }
    }

    @Test(arguments: [
        "NONSENSE\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "GET / HTTP/1.1\r\nbad header\r\n\r\n", "\u{0}\u{1}\u{2}\r\n\r\n",
        "POST /x HTTP/1.1\r\nContent-Length: abc\r\n\r\n", "POST /x HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        "POST /x HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ])
    func whatIsNotHTTPEndsTheConnection(text: String) async throws {
        try await withServer(routes: []) { server in
            let connection = try RawConnection(port: server.port)
            try await connection.send(text)
            let answer = try await connection.receiveToEnd()
            if !answer.isEmpty { #expect(try WireResponse(answer).status == 400) }
            #expect(try await server.get("/health").status == 200, "the server lives on")
        }
    }

    @Test func hugeHeadersEndTheConnection() async throws {
        try await withServer(routes: []) { server in
            let one = try RawConnection(port: server.port)
            try? await one.send("GET / HTTP/1.1\r\nX: \(String(repeating: "a", count: 200_000))\r\n\r\n")
            #expect(try WireResponse(await one.receiveToEnd()).status == 400)
            let many = try RawConnection(port: server.port)
            let fields = (0..<2000).map { "X-\($0): a\r\n" }.joined()
            try? await many.send("GET / HTTP/1.1\r\n\(fields)\r\n")
            #expect(try WireResponse(await many.receiveToEnd()).status == 400)
            #expect(try await server.get("/health").status == 200)
        }
    }

    @Test func requestsOnOneConnectionAreAnsweredInOrder() async throws {
        let routes: [Route] = [.get("/things/{id}") { _, context in try .json([try context.pathParameter("id")]) }]
        try await withServer(routes: routes) { server in
            let connection = try RawConnection(port: server.port)
            let requests = (0..<10).map { number in
                "\(number == 5 ? "HEAD" : "GET") /things/\(number) HTTP/1.1\r\nHost: a\r\n\(number == 9 ? "Connection: close\r\n" : "")\r\n"
            }
            try await connection.send(requests.joined())
            let text = String(decoding: try await connection.receiveToEnd(), as: UTF8.self)
            let bodies = text.matches(of: /\["(\d)"\]/).map { String($0.output.1) }
            #expect(bodies == ["0", "1", "2", "3", "4", "6", "7", "8", "9"])
            #expect(text.matches(of: /HTTP\/1.1 200 OK/).count == 10)
        }
    }

    // MARK: The end

    @Test func aRequestInFlightIsFinishedAndReadinessGoesDownFirst() async throws {
        let gate = Gate()
        let route = Route.get("/slow") { _, _ in
            try await gate.wait()
            return try .json(["done": true])
        }
        try await withServer(routes: [route]) { server in
            #expect(server.http.readiness.isReady)
            async let slow = server.get("/slow")
            try await eventually { gate.arrived == 1 }
            await server.shutDown()
            try await eventually("not ready while it drains") { !server.http.readiness.isReady }
            try await eventually("takes no new connections") { (try? RawConnection(port: server.port)) == nil }
            gate.open()
            let answer = try await slow
            #expect(answer.status == 200 && answer.text == #"{"done":true}"#)
        }
    }

    @Test func readinessIsAnsweredOnAConnectionThatIsOpenWhileDraining() async throws {
        let gate = Gate()
        let route = Route.get("/slow") { _, _ in
            try await gate.wait()
            return try .json(1)
        }
        try await withServer(routes: [route]) { server in
            let connection = try RawConnection(port: server.port)
            try await connection.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
            try await eventually { gate.arrived == 1 }
            await server.shutDown()
            try await eventually { !server.http.readiness.isReady }
            gate.open()
            let text = String(decoding: try await connection.receiveToEnd(), as: UTF8.self)
            #expect(text.hasPrefix("HTTP/1.1 200 OK"))
        }
    }

    @Test func beforeItRunsAServerIsNotReady() {
        let server = HTTPServer(
            settings: .init(name: "x", host: "127.0.0.1", port: 0, about: ""), logger: Logger(label: "x"))
        #expect(!server.readiness.isReady)
    }

    @Test func aPortThatIsTakenEndsTheProcess() async throws {
        try await withServer(routes: []) { server in
            let error = await #expect(throws: (any Error).self) {
                try await withServer(routes: [], configure: { $0.port = server.port }) { _ in }
            }
            let words = error.map { "\($0)" } ?? ""
            #expect(words.hasPrefix("port \(server.port) of 127.0.0.1 is taken: "), "\(words)")
        }
    }

    @Test func anAddressOfAnotherMachineIsSaid() async throws {
        let error = await #expect(throws: (any Error).self) {
            // For documentation only (RFC 5737): no machine has it.
            try await withServer(routes: [], configure: { $0.host = "192.0.2.1" }) { _ in }
        }
        #expect(error.map { "\($0)" }?.hasPrefix("192.0.2.1 is no address of this machine: ") == true)
    }

    private struct JSONText: CustomStringConvertible {
        let description: String
        init(_ value: JSONValue) {
            switch value {
            case .integer(let number): description = "\(number)"
            case .decimal(let number): description = "\(number)"
            default: description = ""
            }
        }
    }
}
