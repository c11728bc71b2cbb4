import Foundation
import HTTPTypes
import Hummingbird
import ServiceTesting
import Shared
import TestSupport
import Testing

@testable import ScenarioRunner

/// `/api/payments`: the page reads what the payment service tells, through the runner.
@Suite(.timeLimit(.minutes(1))) struct PaymentsAPITests {
    private static let schemas = Result {
        try OpenAPISchemas(yaml: String(decoding: RunnerAPI.openAPI, as: UTF8.self))
    }

    /// The books of a payment service with `ids`, in pages of two.
    private func serve(
        _ ids: [String], in currency: String = "USD", _ body: @Sendable (TestServer) async throws -> Void
    ) async throws {
        let books: [Route] = [
            .get("/payment/status/{id}") { _, context in
                let id = try context.pathParameter("id")
                guard ids.contains(id) else { throw Problem.notFound("There is no payment.") }
                return Self.json(
                    #"{"payment_id":"\#(id)","status":"completed","amount":19.99,"currency":"\#(currency)","#
                        + #""refunded_amount":0,"last_update":1700000000}"#)
            },
            .get("/payment/events/{id}") { _, _ in
                Self.json(
                    #"{"events":[{"number":1,"name":"status","detail":"pending","replica":"payment-0","#
                        + #""timestamp":1700000000}]}"#)
            },
            .get("/payment/audit") { request, _ in
                let after = request.uri.queryParameters["after"].map(String.init) ?? ""
                let later = ids.sorted().filter { $0 > after }
                let page = later.prefix(2).map {
                    #"{"payment_id":"\#($0)","status":"completed","amount_minor":1999,"currency":"\#(currency)","#
                        + #""refunded_minor":0,"decline_code":null,"created_at":1700000000,"#
                        + #""idempotency_key":"order","charges":[{"charge_id":"CHG-1","payment_id":"\#($0)","#
                        + #""idempotency_key":null,"amount_minor":1999,"currency":"\#(currency)","#
                        + #""state":"approved","refunded_minor":0}]}"#
                }
                let next = later.count > 2 ? #""\#(later[1])""# : "null"
                return Self.json(#"{"payments":[\#(page.joined(separator: ","))],"next":\#(next)}"#)
            },
        ]
        try await withServer(routes: books) { service in
            let client = HTTPClient()
            let controller = PaymentsController(
                reader: PaymentStoryReader(client: client, paymentURL: "http://127.0.0.1:\(service.port)"))
            do {
                try await withServer(routes: controller.routes) { try await body($0) }
            } catch {
                await client.shutdown()
                throw error
            }
            await client.shutdown()
        }
    }

    private static func json(_ text: String) -> Response {
        Response(
            status: .ok, headers: [.contentType: "application/json"], body: .init(byteBuffer: .init(string: text)))
    }

    private static func id(secondsAgo: Int64) -> String {
        Identifier.make(prefix: "PAY", milliseconds: UnixTime.now.milliseconds - secondsAgo * 1000)
    }

    @Test func theNewestComeFirst() async throws {
        let ids = [5000, 90, 60, 10, 5].map(Self.id(secondsAgo:))
        try await serve(ids) { server in
            for limit in [1, 3, 5] {
                let answer = try await server.get("/api/payments?limit=\(limit)").json()
                let told = answer["payments"]?.elements.map { $0["payment_id"]?.text }
                #expect(told == ids.reversed().prefix(limit).map { $0 })
                #expect(try Self.schemas.get().problems(of: answer, to: "GET /api/payments", status: 200) == [])
            }
            #expect(try await server.get("/api/payments?limit=0").status == 422)
        }
    }

    @Test func noneIsAnEmptyList() async throws {
        try await serve([]) { server in
            let answer = try await server.get("/api/payments").json()
            #expect(answer["payments"] == .array([]))
        }
    }

    @Test func aPaymentTellsItsLife() async throws {
        let id = Self.id(secondsAgo: 5)
        try await serve([id]) { server in
            let story = try await server.get("/api/payments/\(id)").json()
            #expect(story["status"] == .string("completed") && story["events"]?.elements.count == 1)
            #expect(story["idempotency_key"] == .string("order"))
            #expect(try Self.schemas.get().problems(of: story, to: "GET /api/payments/{id}", status: 200) == [])
            let missing = try await server.get("/api/payments/PAY-0")
            let detail = try missing.json()["detail"]
            #expect(missing.status == 404 && detail == .string("There is no payment PAY-0."))
        }
    }

    /// HUF and IQD have fewer decimals, or none, in the tables that browsers have.
    @Test(arguments: [("USD", 2), ("HUF", 2), ("IQD", 3), ("JPY", 0), ("XTS", nil)] as [(String, Int64?)])
    func amountsSayHowTheyAreWritten(currency: String, exponent: Int64?) async throws {
        let id = Self.id(secondsAgo: 5)
        let expected = exponent.map(JSONValue.integer) ?? .null
        try await serve([id], in: currency) { server in
            let list = try await server.get("/api/payments").json()
            #expect(list["payments"]?.elements.map { $0["exponent"] } == [expected])
            #expect(try Self.schemas.get().problems(of: list, to: "GET /api/payments", status: 200) == [])
            let story = try await server.get("/api/payments/\(id)").json()
            #expect(story["exponent"] == expected)
            #expect(story["charges"]?.elements.map { $0["exponent"] } == [expected])
            #expect(try Self.schemas.get().problems(of: story, to: "GET /api/payments/{id}", status: 200) == [])
        }
    }

    @Test func aSilentServiceIsABadGateway() async throws {
        try await RunnerLab.serve { _, server in
            for path in ["/api/payments", "/api/payments/PAY-1"] {
                let answer = try await server.get(path)
                #expect(
                    answer.status == 502
                        && answer.headers["content-type"]?.hasPrefix("application/problem+json") == true)
            }
        }
    }
}
