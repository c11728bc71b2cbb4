import Foundation
import HTTPTypes
import Hummingbird
import Logging
import ServiceTesting
import Shared
import Synchronization
import TestSupport
import Testing

@testable import PaymentService

/// An inventory whose answers get lost: it passes everything on to the real one, and then keeps some answers to itself.
private final class LossyInventory: Sendable {
    private let real: TestClient
    private let seen = Mutex<[String: Int]>([:])
    /// Whether the answer to the nth call of a path is lost.
    private let loses: @Sendable (_ path: String, _ call: Int) -> Bool

    init(_ real: TestClient, loses: @escaping @Sendable (_ path: String, _ call: Int) -> Bool) {
        self.real = real
        self.loses = loses
    }

    func count(_ path: String) -> Int { seen.withLock { $0[path] ?? 0 } }

    func run(_ logger: Logger, _ body: @escaping @Sendable (_ url: String) async throws -> Void) async throws {
        let paths = [
            ("GET", "/check/{id}"), ("POST", "/reserve"), ("POST", "/reservations/{id}/confirm"),
            ("POST", "/reservations/{id}/release"),
        ]
        let routes = paths.map { method, path in
            Route(method == "GET" ? .get : .post, path) { request, _ in
                let count = self.seen.withLock { seen in
                    seen[path, default: 0] += 1
                    return seen[path] ?? 0
                }
                var body: String?
                if path == "/reserve", case .object(let members) = try await request.json(JSONValue.self) {
                    body = canonicalJSON(members)
                }
                let answer = try await self.real.send(
                    request.method, request.uri.path, body: body, headers: [.contentType: "application/json"])
                if self.loses(path, count) { throw Problem(.badGateway, "Lost.") }
                var response = Response.text(answer.text, contentType: "application/json")
                response.status = .init(code: answer.status)
                return response
            }
        }
        try await withServices(logger: logger) { running in
            [
                HTTPServer(
                    settings: HTTPServerSettings(name: "lossy", host: "127.0.0.1", port: 0, about: "Lossy"),
                    logger: logger
                ).application(routes: routes, openAPI: [], onServerRunning: running)
            ]
        } body: {
            try await body($0)
        }
    }
}

@Suite("A payment with resilience patterns")
struct ResilienceTests {
    /// A payment service behind a lossy inventory, with these settings in force.
    private func run(
        _ settings: ResilienceSettings, loses: @escaping @Sendable (String, Int) -> Bool,
        _ body: @escaping @Sendable (PaymentLab, TestClient, LossyInventory) async throws -> Void
    ) async throws {
        try await PaymentLab.run { lab in
            let inventory = LossyInventory(lab.inventory, loses: loses)
            try await inventory.run(lab.log.logger()) { url in
                lab.runner.change(resilience: settings)
                var own = PaymentSettings()
                (own.host, own.port) = ("127.0.0.1", 0)
                (own.inventoryURL, own.notificationURL) = (url, lab.notification.baseURL)
                own.scenarioRunnerURL = lab.runnerURL
                own.inventoryTimeout = .seconds(5)
                let http = lab.payment.http
                try await PaymentLab.withPayment(own, lab.folder, http, lab.log) { paymentURL in
                    let payment = TestClient(http, paymentURL)
                    try await eventually {
                        try await payment.get("/metrics").text.contains("service_settings_version 2")
                    }
                    try await body(lab, payment, inventory)
                }
            }
        }
    }

    private func pay(_ payment: TestClient, quantity: Int = 1) async throws -> TestAnswer {
        try await payment.post("/payment/process", #"{"amount":100,"product_id":"1","quantity":\#(quantity)}"#)
    }

    @Test(
        "repeats what was lost under the payment's own key: stock and money move once",
        arguments: [
            ResilienceProfile.hardened, .retryStorm,
        ])
    func lostAnswers(profile: ResilienceProfile) async throws {
        try await run(ResilienceSettings(profile), loses: { _, call in call == 1 }) { lab, payment, inventory in
            let before = try await lab.stock("1")
            let answer = try await pay(payment)
            #expect(answer.status == 200, "\(answer.text)")
            #expect(inventory.count("/check/{id}") == 2 && inventory.count("/reserve") == 2)
            let after = try await lab.stock("1")
            #expect(after == before - 1)
            let reservations = try await lab.inventory.get("/audit")["reservations"]?.elements ?? []
            #expect(reservations.map { $0["state"] } == [.string("confirmed")])
            #expect(reservations.map { $0["reservation_id"] } == [answer["reservation_id"]])
            let books = try await payment.get("/payment/audit")["payments"]?.elements ?? []
            #expect(books.map { $0["charges"]?.elements.count } == [1])
            let metrics = try await payment.get("/metrics").text
            #expect(metrics.contains(#"downstream_retries_total{service="inventory"} 3"#), "\(metrics)")
        }
    }

    @Test("repeats nothing in the naive profile")
    func naive() async throws {
        try await run(ResilienceSettings(.naive), loses: { _, call in call == 1 }) { lab, payment, inventory in
            let answer = try await pay(payment)
            #expect(answer.status == 502)
            #expect(inventory.count("/check/{id}") == 1 && inventory.count("/reserve") == 0)
        }
    }

    @Test("gives back what an attempt may have taken whose answer nobody heard, though a later one was refused")
    func refusedAfterALoss() async throws {
        // The first reserve takes the last stock, and its answer is lost; then somebody else asks under another key.
        try await run(ResilienceSettings(.hardened), loses: { path, call in path == "/reserve" && call == 1 }) {
            lab, payment, inventory in
            let all = Int(try await lab.stock("1"))
            let answer = try await pay(payment, quantity: all + 1)
            #expect(answer.status == 409, "\(answer.text)")
            let left = try await lab.stock("1")
            #expect(left == all)
            // The release blocks an attempt that may still be on its way.
            try await eventually("the release") { inventory.count("/reservations/{id}/release") > 0 }
        }
    }

    @Test("accepts a payment whose gateway is silent, and settles it", arguments: GatewayTimeoutPhase.allCases)
    func pending(phase: GatewayTimeoutPhase) async throws {
        try await PaymentLab.run { lab in
            lab.runner.change(resilience: ResilienceSettings(.hardened)) { modes in
                modes.gatewayTimeoutEnabled = true
                modes.gatewayTimeoutProbability = 100
                // Nobody waits that long.
                modes.gatewayTimeoutDelay = 60
                modes.gatewayTimeoutPhase = phase
            }
            try await eventually { lab.runner.isFollowed }
            let answer = try await lab.pay(key: "k")
            guard phase != .responseLost else {
                // The payment is complete; only its answer never arrives.
                #expect(answer.status == 504, "\(answer.text)")
                return try await lab.settles(answer, "completed")
            }
            #expect(answer.status == 202, "\(answer.text)")
            #expect(answer["status"] == .string("pending") && answer["amount"] == .integer(100))
            // It is no answer to keep: who asks again hears the final one.
            try await lab.settles(answer, phase == .afterCharge ? "completed" : "failed")
            let again = try await lab.pay(key: "k")
            #expect(again.status == (phase == .afterCharge ? 200 : 502))
            #expect(again["payment_id"] == answer["payment_id"])
        }
    }

    @Test("leaves an inventory alone that keeps failing, and says so at once")
    func breaker() async throws {
        try await RawServer.run(answering: RawServer.response(status: 500, "{}")) { url in
            var options = PaymentLab.Options()
            options.inventoryURL = url
            try await PaymentLab.run(options) { lab in
                var settings = ResilienceSettings(.naive)
                settings.set(.circuitBreaker, true)
                lab.runner.change(resilience: settings)
                try await eventually { lab.runner.isFollowed }
                for _ in 0..<10 { #expect(try await lab.pay().status == 502) }
                let answer = try await lab.pay()
                #expect(answer.status == 502 && answer["source"] == .string("inventory"))
                let metrics = try await lab.payment.get("/metrics").text
                #expect(metrics.contains(#"circuit_breaker_state{service="inventory"} 2"#))
                #expect(metrics.contains(#"downstream_attempts_total{service="inventory"} 10"#))
            }
        }
    }
}

extension JSONValue {
    /// Of an array; none for anything else.
    fileprivate var elements: [JSONValue] {
        guard case .array(let elements) = self else { return [] }
        return elements
    }
}
