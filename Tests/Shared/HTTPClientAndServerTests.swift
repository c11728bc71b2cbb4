import Foundation
import HTTPTypes
import Hummingbird
import Shared
import TestSupport
import Testing

/// The client and the server of the project with each other: what one sends on, the other understands.
struct HTTPClientAndServerTests {
    private let client = HTTPClient()

    /// A service that another one asks.
    private static let inner = Route.post("/inner") { request, _ in
        let body = try await request.json(JSONValue.self)
        let left = RequestDeadline.current?.remaining.milliseconds
        return try .json(
            Seen(traceID: TraceContext.current?.traceID, spanID: TraceContext.current?.spanID, leftMs: left, body: body)
        )
    }

    private struct Seen: Codable {
        let traceID: String?
        let spanID: String?
        let leftMs: Double?
        let body: JSONValue
    }

    private func outer(asking server: TestServer) -> Route {
        .post("/outer") { [client] request, _ in
            let body = try JSONEncoder().encode(try await request.json(JSONValue.self))
            let answer = try await client.execute(
                HTTPClientRequest(
                    method: .post, url: "http://127.0.0.1:\(server.port)/inner",
                    headers: [.contentType: "application/json"], body: body, timeout: .seconds(10)))
            return try .json(try JSONDecoder().decode(Seen.self, from: answer.body))
        }
    }

    @Test func traceAndDeadlineTravelThroughTwoServices() async throws {
        try await withServer(routes: [Self.inner]) { inner in
            try await withServer(routes: [outer(asking: inner)]) { outer in
                let trace = TraceContext()
                let answer = try await outer.post(
                    "/outer", json: #"{"amount":19.99}"#,
                    headers: ["traceparent": trace.traceparent, "X-Request-Deadline-Ms": "5000"])
                let seen = try JSONDecoder().decode(Seen.self, from: answer.body)
                #expect(seen.traceID == trace.traceID && seen.spanID != trace.spanID)
                let left = try #require(seen.leftMs)
                #expect(left > 0 && left <= 5000)
                #expect(seen.body == .object(["amount": .decimal(Decimal(1999) / 100)]))
                #expect(answer.headers["traceresponse"]?.contains(trace.traceID) == true)
            }
        }
    }

    @Test func withoutADeadlineTheClientsTimeoutIsOne() async throws {
        try await withServer(routes: [Self.inner]) { inner in
            try await withServer(routes: [outer(asking: inner)]) { outer in
                let answer = try await outer.post("/outer", json: "1")
                let left = try #require(try JSONDecoder().decode(Seen.self, from: answer.body).leftMs)
                #expect(left > 0 && left <= 10_000)
            }
        }
    }

    @Test func manyRequestsAtOnceAreAllAnswered() async throws {
        let routes: [Route] = [
            .get("/things/{id}") { _, context in try .json(["id": try context.pathParameter("id")]) }
        ]
        try await withServer(routes: routes) { server in
            let answers = try await withThrowingTaskGroup(of: (String, Int, Data).self) { group in
                for number in 0..<300 {
                    group.addTask { [client] in
                        let url = "http://127.0.0.1:\(server.port)/things/a%2F\(number)"
                        let answer = try await client.execute(HTTPClientRequest(url: url, timeout: .seconds(20)))
                        return ("a/\(number)", answer.status, answer.body)
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(answers.count == 300)
            for (id, status, body) in answers {
                #expect(status == 200)
                #expect(try JSONDecoder().decode([String: String].self, from: body) == ["id": id])
            }
        }
    }

    @Test func refusalsArriveWhole() async throws {
        try await withServer(routes: [Self.inner]) { server in
            let url = "http://127.0.0.1:\(server.port)"
            let missing = try await client.execute(HTTPClientRequest(url: "\(url)/none", timeout: .seconds(5)))
            #expect(missing.status == 404)
            #expect(missing.headers[.contentType] == "application/problem+json; charset=utf-8")
            let large = try await client.execute(
                HTTPClientRequest(
                    method: .post, url: "\(url)/inner", headers: [.contentType: "application/json"],
                    body: Data(repeating: UInt8(ascii: " "), count: 200_000), timeout: .seconds(5)))
            #expect(large.status == 413)
            // The same connection, after a body that nobody wanted.
            let health = try await client.execute(HTTPClientRequest(url: "\(url)/health", timeout: .seconds(5)))
            #expect(health.status == 200)
        }
    }
}
