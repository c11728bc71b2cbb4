import Foundation
import HTTPTypes
import Hummingbird
import Shared
import TestSupport
import Testing

@testable import ScenarioRunner

/// What `explain` asks for and how it is shown.
@Suite(.timeLimit(.minutes(1))) struct PaymentStoryTests {
    private static let status = """
        {"payment_id":"PAY-1","status":"partially_refunded","last_update":1700000005,"amount":19.9,"currency":"USD",
        "refunded_amount":5}
        """
    private static let events = """
        {"payment_id":"PAY-1","status":"partially_refunded","events":[
        {"number":1,"name":"status","detail":"pending","replica":"payment-0","timestamp":1700000000.25},
        {"number":2,"name":"inventory","detail":"reserved","replica":"payment-0","timestamp":1700000000.262,
         "latency_ms":11.25},
        {"number":3,"name":"gateway","detail":"no answer","replica":"payment-0","timestamp":1700000001.28,
         "latency_ms":1002.5,"scenario":"gateway-timeout"},
        {"number":4,"name":"status","detail":"completed","replica":"payment-10","timestamp":1700000000.24,
         "scenario":"gateway-timeout"}]}
        """
    private static let charge = """
        {"charge_id":"CHG-1","payment_id":"PAY-1","idempotency_key":"order-7","amount_minor":1990,"currency":"USD",
        "state":"approved","refunded_minor":500}
        """
    private static let audit = """
        {"payments":[{"payment_id":"PAY-1","idempotency_key":"order-7","charges":[\(charge)]}],"next":"PAY-1"}
        """

    @Test func aStoryIsATable() async throws {
        let story = try await read(Books())
        #expect(
            try PaymentStory(story).text == """
                PAY-1: partially_refunded, 19.90 USD, 5.00 refunded, Idempotency-Key order-7
                  +0.000 s  payment-0   status     pending
                  +0.012 s  payment-0   inventory  reserved   11.2 ms
                  +1.030 s  payment-0   gateway    no answer   1.00 s  caused by gateway-timeout
                  -0.010 s  payment-10  status     completed           caused by gateway-timeout
                In the gateway's books: CHG-1, approved, 19.90 USD, 5.00 refunded
                """)
    }

    @Test func whatIsNotKnownIsLeftOut() throws {
        let declined = """
            {"payment_id":"PAY-2","status":"declined","decline_code":"stolen_card","amount":500,"currency":"JPY",
            "refunded_amount":0,"idempotency_key":null,"events":[],"charges":[]}
            """
        let document = try JSONDecoder().decode(JSONValue.self, from: Data(declined.utf8))
        #expect(
            try PaymentStory(document).text
                == "PAY-2: declined (stolen_card), 500 JPY, 0 refunded\nIn the gateway's books: no charge")
        #expect(throws: LabError.self) { try PaymentStory(.object(["payment_id": .string("PAY-2")])) }
    }

    @Test func booksThatCannotBeReadAreNoReasonForSilence() async throws {
        for audit in [nil, #"{"payments":[{"payment_id":"PAY-9","charges":[]}]}"#, "[]"] {
            let text = try PaymentStory(try await read(Books(audit: audit))).text
            #expect(text.hasPrefix("PAY-1: partially_refunded, 19.90 USD, 5.00 refunded\n"))
            #expect(text.hasSuffix("\nThe gateway's books could not be read"))
        }
    }

    @Test func anUnknownPaymentIsWrongUsageAndASilentServiceIsNot() async throws {
        let unknown = await #expect(throws: RefusedRequest.self) { try await read(Books(status: .notFound)) }
        #expect(unknown?.description == "there is no payment PAY-1")
        let broken = await #expect(throws: LabError.self) { try await read(Books(status: .internalServerError)) }
        #expect(broken?.description == "the payment service answered 500")
        let client = HTTPClient()
        let nobody = PaymentStoryReader(client: client, paymentURL: "http://127.0.0.1:1")
        let silent = await #expect(throws: LabError.self) { try await nobody.read("PAY-1") }
        #expect(silent?.description.contains("does not answer") == true)
        await client.shutdown()
    }

    private struct Books: Sendable {
        var status = HTTPResponse.Status.ok
        /// Nil answers 404.
        var audit: String? = PaymentStoryTests.audit
    }

    private func read(_ books: Books) async throws -> JSONValue {
        let routes: [Route] = [
            .get("/payment/status/{id}") { _, _ in Self.json(Self.status, books.status) },
            .get("/payment/events/{id}") { _, _ in Self.json(Self.events, books.status) },
            .get("/payment/audit") { request, _ in
                guard request.uri.query == "limit=1&after=PAY-" else { return Self.json("{}", .badRequest) }
                return Self.json(books.audit ?? "{}", books.audit == nil ? .notFound : .ok)
            },
        ]
        return try await withServer(routes: routes) { server in
            let client = HTTPClient()
            let result: Result<JSONValue, any Error>
            do {
                let reader = PaymentStoryReader(client: client, paymentURL: "http://127.0.0.1:\(server.port)")
                result = .success(try await reader.read("PAY-1"))
            } catch {
                result = .failure(error)
            }
            await client.shutdown()
            return try result.get()
        }
    }

    private static func json(_ text: String, _ status: HTTPResponse.Status) -> Response {
        Response(
            status: status, headers: [.contentType: "application/json"], body: .init(byteBuffer: .init(string: text)))
    }
}
