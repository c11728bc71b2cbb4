import Foundation
import HTTPTypes
import Hummingbird
import Shared
import TestSupport
import Testing

/// What every server does alike, over real sockets.
struct HTTPServerTests {
    private struct Order: Decodable, Sendable {
        let quantity: Int

        init(from decoder: any Decoder) throws {
            let fields = try FieldReader(decoder)
            quantity = try fields.require(fields.integer("quantity", in: 1...10))
        }
    }

    /// An error whose text nobody outside may see.
    private struct Leak: Error {
        let secret = "postgres://user:hunter2@db-host/payments"
    }

    private static let routes: [Route] = [
        .post("/orders") { request, _ in
            let order: Order = try await request.json()
            return try .json(["quantity": order.quantity])
        },
        .post("/any") { request, _ in try .json(try await request.json(JSONValue.self)) },
        .get("/things/{id}") { _, context in try .json(["id": try context.pathParameter("id")]) },
        .put("/things/{id}") { _, context in try .json(["put": try context.pathParameter("id")]) },
        .get("/query") { request, _ in
            try .json([
                "q": request.queryParameter("q") ?? "absent",
                "n": "\(request.queryInteger("n", in: 1...9, default: 5))",
            ])
        },
        .get("/leak") { _, _ in throw Leak() },
        .get("/cancelled") { _, _ in throw CancellationError() },
        .get("/conflict") { _, _ in throw Problem.conflict("It is gone.", members: ["available": .integer(0)]) },
    ]

    // MARK: Common endpoints

    @Test func rootListsEveryEndpoint() async throws {
        try await withServer(routes: Self.routes) { server in
            let home = try await server.get("/").json()
            #expect(home["message"] == .string("A test"))
            #expect(home["version"] == .string(Version.current))
            let common = ["/health", "/health/ready", "/metrics", "/openapi.yaml"].map { "GET \($0)" }
            let expected = Self.routes.map { "\($0.method.rawValue) \($0.path)" } + common
            #expect(home["endpoints"] == .array(expected.map(JSONValue.string)))
        }
    }

    @Test func everyAnswerSaysWhichReplicaItIsFrom() async throws {
        try await withServer(routes: Self.routes, configure: { $0.replica = "payment-0" }) { server in
            for path in ["/health", "/things/1", "/leak", "/nowhere"] {
                let answer = try await server.get(path)
                #expect(answer.headers["x-served-by"] == "payment-0", "\(path)")
            }
        }
        try await withServer(routes: Self.routes) { server in
            let answer = try await server.get("/health")
            #expect(answer.headers["x-served-by"] == nil)
        }
    }

    @Test func healthAndReadiness() async throws {
        try await withServer(routes: []) { server in
            let health = try await server.get("/health")
            #expect(health.status == 200)
            #expect(health.headers["content-type"] == "application/json; charset=utf-8")
            #expect(health.headers["server"] == "test-service")
            let document = try health.json()
            #expect(document["status"] == .string("healthy") && document["service"] == .string("test-service"))
            guard case .decimal(let timestamp) = document["timestamp"] ?? .null else {
                // One answer in a thousand comes at a full second.
                guard case .integer = document["timestamp"] else { return #expect(Bool(false), "no timestamp") }
                return
            }
            #expect(abs((timestamp as NSDecimalNumber).doubleValue - Date().timeIntervalSince1970) < 60)
            #expect(try await server.get("/health/ready").status == 200)
        }
    }

    @Test func openAPIIsServedAsItIs() async throws {
        try await withServer(routes: []) { server in
            let answer = try await server.get("/openapi.yaml")
            #expect(answer.text == "openapi: 3.1.0\n")
            #expect(answer.headers["content-type"] == "application/yaml; charset=utf-8")
        }
    }

    @Test func anOwnRootReplacesTheList() async throws {
        let page = Route.get("/") { _, _ in .text("<p>", contentType: "text/html") }
        try await withServer(routes: [page]) { server in
            let answer = try await server.get("/")
            #expect(answer.text == "<p>")
        }
    }

    // MARK: Refusals

    @Test(arguments: ["/nothing", "/health/nothing", "/things", "/things/a/b", "/../etc/passwd", "/%2e%2e"])
    func unknownPathsAreProblems404(path: String) async throws {
        try await withServer(routes: Self.routes) { server in
            try await expectProblem(server.get(path), status: 404, title: "Not Found")
        }
    }

    @Test func aWrongMethodIsToldTheRightOnes() async throws {
        try await withServer(routes: Self.routes) { server in
            for method in ["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND", "QUERY"] {
                let answer = try await server.send(method, "/orders")
                try expectProblem(answer, status: 405, title: "Method Not Allowed")
                #expect(answer.headers["allow"] == "POST")
            }
            let things = try await server.send("DELETE", "/things/1")
            #expect(things.status == 405 && things.headers["allow"] == "GET, HEAD, PUT")
            let health = try await server.send("POST", "/health", body: "")
            #expect(health.status == 405 && health.headers["allow"] == "GET, HEAD")
        }
    }

    /// The parser refuses these before there is a request, so no middleware could give the answer its shape.
    @Test(arguments: [
        "NONSENSE /orders HTTP/1.1\r\nHost: x\r\n\r\n", "GET /orders\r\n\r\n", "nonsense\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nNo colon\r\n\r\n", "GET / HTTP/1.1\r\nX: a\u{01}b\r\n\r\n",
        "POST /any HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        "GET /\(String(repeating: "a", count: 9000)) HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\n\(String(repeating: "X: \(String(repeating: "a", count: 4000))\r\n", count: 9))\r\n",
        "POST /any HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
    ])
    func whatIsNoHTTPIsAProblemToo(request: String) async throws {
        try await withServer(routes: Self.routes) { server in
            let connection = try RawConnection(port: server.port)
            try await connection.send(request)
            let answer = try WireResponse(await connection.receiveToEnd())
            // A request whose body is at fault has its trace, as every request.
            let isTraced = request.contains("chunked")
            try expectProblem(answer, status: 400, title: "Bad Request", isTraced: isTraced)
            #expect(answer.headers["content-length"] == String(answer.body.count))
            #expect(server.log.lines.allSatisfy { !String(decoding: $0, as: UTF8.self).contains("\"error\"") })
        }
    }

    /// A byte now and then keeps a connection from being idle, but not from being closed.
    @Test func aRequestThatTricklesIsCutOff() async throws {
        try await withServer(routes: Self.routes, configure: { $0.maxReadingTime = .milliseconds(200) }) { server in
            let connection = try RawConnection(port: server.port)
            try await connection.send(
                "POST /any HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 60000\r\n\r\n")
            try await eventually("the end of the connection") {
                do { try await connection.send(" ") } catch { return true }
                return false
            }
            #expect(try await server.post("/any", json: "{}").status == 200)
            #expect(server.log.lines.allSatisfy { !String(decoding: $0, as: UTF8.self).contains("\"error\"") })
        }
    }

    /// No store takes a NUL, and one grapheme may be kilobytes of combining marks.
    @Test(arguments: ["%00", "a%00b", "%0A", "%7F", "e\(String(repeating: "%CC%81", count: 64))", "%FF", "%ZZ"])
    func whatCannotBeAnIDIsNotFound(id: String) async throws {
        try await withServer(routes: Self.routes) { server in
            try await expectProblem(server.get("/things/\(id)"), status: 404, title: "Not Found")
        }
    }

    @Test func aLogLineHoldsTheBeginningOfALongPath() async throws {
        try await withServer(routes: Self.routes) { server in
            _ = try await server.get("/\(String(repeating: "a", count: 5000))")
            let line = try #require(server.log.lines.last)
            #expect(line.count < 1000)
        }
    }

    @Test func headHasTheHeadersAndNoBody() async throws {
        try await withServer(routes: Self.routes) { server in
            let get = try await server.get("/things/7")
            let head = try await server.send("HEAD", "/things/7")
            #expect(head.status == 200 && head.body.isEmpty)
            #expect(head.headers["content-length"] == get.headers["content-length"])
            #expect(head.headers["content-type"] == get.headers["content-type"])
        }
    }

    /// A body in an answer to HEAD would be taken for the answer to the next request on the connection.
    @Test(arguments: [("/nothing", 404), ("/orders", 405), ("/leak", 500)])
    func errorsToHEADHaveNoBody(path: String, status: Int) async throws {
        try await withServer(routes: Self.routes) { server in
            let head = try await server.send("HEAD", path)
            #expect(head.status == status)
            #expect(head.body.isEmpty, "\(head.text)")
        }
    }

    @Test(arguments: [nil, "text/plain", "application/x-www-form-urlencoded", "application/jsonp", "json", ""])
    func otherContentTypesAre415(contentType: String?) async throws {
        try await withServer(routes: Self.routes) { server in
            let headers = contentType.map { ["Content-Type": $0] } ?? [:]
            let answer = try await server.send("POST", "/orders", headers: headers, body: #"{"quantity":1}"#)
            try expectProblem(answer, status: 415, title: "Unsupported Media Type")
        }
    }

    @Test(arguments: [
        "application/json", "APPLICATION/JSON", "application/json; charset=utf-8", "application/json ;charset=utf-8",
        "application/merge-patch+json",
    ])
    func jsonContentTypesAreTaken(contentType: String) async throws {
        try await withServer(routes: Self.routes) { server in
            let answer = try await server.send(
                "POST", "/orders", headers: ["Content-Type": contentType], body: #"{"quantity":1}"#)
            #expect(answer.status == 200)
        }
    }

    @Test(arguments: [
        "", " ", "{", "{\"quantity\":1", "{'quantity':1}", "{\"quantity\":NaN}", "{\"quantity\":01}", "nul",
        "{\"quantity\":1}}", "{\"quantity\":1,\"quantity\"}", "{\"quantity\":1,}", "\u{0}",
    ])
    func malformedJSONIs400(body: String) async throws {
        try await withServer(routes: Self.routes) { server in
            try await expectProblem(server.post("/orders", json: body), status: 400, title: "Bad Request")
        }
    }

    @Test func textThatIsNotUTF8Is400() async throws {
        try await withServer(routes: Self.routes) { server in
            let body = Data(#"{"quantity":1,"a":""#.utf8) + [0xFF, 0xFE] + Data("\"}".utf8)
            let connection = try RawConnection(port: server.port)
            let head = "POST /any HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: application/json\r\n"
            try await connection.send(Data("\(head)Content-Length: \(body.count)\r\n\r\n".utf8) + body)
            try expectProblem(WireResponse(await connection.receiveToEnd()), status: 400, title: "Bad Request")
        }
    }

    @Test func deepNestingIs400() async throws {
        try await withServer(routes: Self.routes) { server in
            for depth in [600, 30_000] {
                let body = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
                try await expectProblem(server.post("/any", json: body), status: 400, title: "Bad Request")
            }
            let shallow = String(repeating: "[", count: 200) + String(repeating: "]", count: 200)
            #expect(try await server.post("/any", json: shallow).text == shallow)
        }
    }

    @Test(arguments: [
        ("{}", "quantity: is required"), ("{\"quantity\":0}", "quantity: must be an integer from 1 to 10"),
        ("{\"quantity\":1e400}", "quantity: must be an integer from 1 to 10"),
        ("{\"quantity\":null}", "quantity: must not be null"), ("[]", "The body must be a JSON object."),
        ("null", "The body must be a JSON object."),
    ])
    func invalidFieldsAre422(body: String, detail: String) async throws {
        try await withServer(routes: Self.routes) { server in
            let answer = try await server.post("/orders", json: body)
            try expectProblem(answer, status: 422, title: "Unprocessable Content", detail: detail)
        }
    }

    @Test func bodiesOver64KiBAre413() async throws {
        try await withServer(routes: Self.routes) { server in
            let exact = "\"" + String(repeating: "a", count: AppContext.maxBodyBytes - 2) + "\""
            #expect(try await server.post("/any", json: exact).status == 200)
            let longer = try await server.post("/any", json: exact + " ")
            try expectProblem(longer, status: 413, title: "Content Too Large")
        }
    }

    @Test func aChunkedBodyHasTheSameLimit() async throws {
        try await withServer(routes: Self.routes) { server in
            let head = "POST /any HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: application/json\r\n"
            let connection = try RawConnection(port: server.port)
            try await connection.send("\(head)Transfer-Encoding: chunked\r\n\r\n")
            let chunk = "8000\r\n" + String(repeating: " ", count: 0x8000) + "\r\n"
            try await connection.send(chunk + chunk + chunk + "0\r\n\r\n")
            let answer = try WireResponse(await connection.receiveToEnd())
            try expectProblem(answer, status: 413, title: "Content Too Large")
        }
    }

    // MARK: Errors

    @Test func unknownErrorsAreLoggedAndNotShown() async throws {
        try await withServer(routes: Self.routes) { server in
            let answer = try await server.get("/leak")
            try expectProblem(answer, status: 500, title: "Internal Server Error")
            #expect(!answer.text.contains("hunter2") && !answer.text.contains("Leak"))
            let logged = server.log.lines.map { String(decoding: $0, as: UTF8.self) }
            #expect(logged.contains { $0.contains("Leak") && $0.contains("\"level\":\"error\"") })
        }
    }

    @Test func problemsKeepTheirMembers() async throws {
        try await withServer(routes: Self.routes) { server in
            let answer = try await server.get("/conflict")
            try expectProblem(answer, status: 409, title: "Conflict", detail: "It is gone.")
            #expect(try answer.json()["available"] == .integer(0))
            let cancelled = try await server.get("/cancelled")
            try expectProblem(cancelled, status: 503, title: "Service Unavailable")
            #expect(cancelled.headers["retry-after"] == "1")
        }
    }

    // MARK: Paths and queries

    @Test(arguments: [
        ("/things/a%20b", "a b"), ("/things/%C3%A9", "é"), ("/things/a%2Fb", "a/b"), ("/things/%2525", "%25"),
        ("/things/a+b", "a+b"), ("/things/1/", "1"),
    ])
    func pathParametersAreDecodedOnce(path: String, id: String) async throws {
        try await withServer(routes: Self.routes) { server in
            let answer = try await server.get(path)
            #expect(try answer.json()["id"] == .string(id))
        }
    }

    @Test(arguments: ["/things/%zz", "/things/%FF", "/things/%", "/things/\(String(repeating: "a", count: 65))"])
    func pathParametersThatNameNothingAre404(path: String) async throws {
        try await withServer(routes: Self.routes) { server in
            try await expectProblem(server.get(path), status: 404, title: "Not Found")
        }
    }

    @Test(arguments: [
        ("/query", "absent"), ("/query?q=", ""), ("/query?q=a%20b", "a b"), ("/query?q=%2525", "%25"),
        ("/query?x=1&q=%26%3D", "&="), ("/query?q", ""), ("/query?q=100%", "100%"),
    ])
    func queryParametersAreDecodedOnce(path: String, value: String) async throws {
        try await withServer(routes: Self.routes) { server in
            let answer = try await server.get(path)
            #expect(try answer.json()["q"] == .string(value))
        }
    }

    @Test(arguments: ["n=0", "n=10", "n=abc", "n=", "n=1.0", "n=99999999999999999999"])
    func queryIntegersHaveARange(query: String) async throws {
        try await withServer(routes: Self.routes) { server in
            #expect(try await server.get("/query?n=9").json()["n"] == .string("9"))
            let answer = try await server.get("/query?\(query)")
            try expectProblem(
                answer, status: 422, title: "Unprocessable Content", detail: "n: must be an integer from 1 to 9")
        }
    }
}

/// The one shape of an error.
func expectProblem(
    _ answer: WireResponse, status: Int, title: String, detail: String? = nil, isTraced: Bool = true,
    sourceLocation: SourceLocation = #_sourceLocation
) throws {
    #expect(answer.status == status, "\(answer.text)", sourceLocation: sourceLocation)
    #expect(
        answer.headers["content-type"] == "application/problem+json; charset=utf-8", sourceLocation: sourceLocation)
    let problem = try answer.json()
    #expect(problem["type"] == .string("about:blank"), sourceLocation: sourceLocation)
    #expect(problem["title"] == .string(title), sourceLocation: sourceLocation)
    #expect(problem["status"] == .integer(Int64(status)), sourceLocation: sourceLocation)
    let text = try #require(problem["detail"]?.text, sourceLocation: sourceLocation)
    #expect(problem["error"] == .string(text), sourceLocation: sourceLocation)
    if let detail { #expect(text == detail, sourceLocation: sourceLocation) }
    #expect(problem["instance"]?.text?.hasPrefix("/") == true, sourceLocation: sourceLocation)
    #expect((answer.headers["traceresponse"] != nil) == isTraced, sourceLocation: sourceLocation)
}
