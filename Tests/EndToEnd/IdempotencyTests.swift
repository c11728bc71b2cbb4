import Foundation
import HTTPTypes
import Shared
import TestSupport
import Testing

/// One Idempotency-Key at two replicas: the promise that a retrying client relies on, kept by real processes that
/// share nothing but their databases.
@Suite("One key, two replicas", .serialized)
struct IdempotencyTests {
    private static let keys = (0..<24).map { "order-\($0)" }

    @Test(
        "Two clients at the same instant: one charge, one 200 and one 409 or a replay", .timeLimit(.minutes(2)),
        arguments: DatabaseKind.allCases)
    func sameInstant(database: DatabaseKind) async throws {
        try await LabProcess.withLab(["--plain"] + database.labArguments()) { lab in
            let topology = try await lab.get(lab.state.runner_url + "/api/topology")
            let urls = ReplicaView.all(of: "payment-service", in: topology.body).map(\.url)
            try #require(urls.count == 3 && Set(urls).count == 3 && urls.allSatisfy { $0 != lab.state.payment_url })
            // A client each: no connection of one is opened or taken by the other.
            let clients = [HTTPClient(), HTTPClient()]
            let result: Result<Void, any Error>
            do { result = .success(try await race(lab, urls, clients)) } catch { result = .failure(error) }
            for client in clients { await client.shutdown() }
            try result.get()
        }
    }

    private func race(_ lab: LabProcess, _ urls: [String], _ clients: [HTTPClient]) async throws {
        // Connections are open before it matters.
        for client in clients {
            for url in urls {
                _ = try await client.execute(HTTPClientRequest(url: url + "/health", timeout: .seconds(5)))
            }
        }
        var ids: [String: JSONValue] = [:]
        var conflicts = 0
        for (index, key) in Self.keys.enumerated() {
            // Each of the three has every role.
            let replicas = [urls[index % 3], urls[(index + 1 + index / 3 % 2) % 3]]
            async let one = Self.pay(clients[0], at: replicas[0], key)
            async let other = Self.pay(clients[1], at: replicas[1], key)
            let answers = try await [one, other]
            ids[key] = try Self.paymentID(of: answers, key)
            conflicts += answers.count { $0.status == 409 }

            // When it is settled, everybody is told the same.
            let again = try await [
                Self.pay(clients[0], at: replicas[0], key), Self.pay(clients[1], at: replicas[1], key),
            ]
            for answer in again { #expect(answer.status == 200 && answer.isReplay, "\(key): \(answer)") }
            #expect(again[0].body == again[1].body && again[0].body["payment_id"] == ids[key], "\(key): \(again)")
            for (client, url) in zip(clients, replicas) {
                let reused = try await Self.pay(client, at: url, key, amount: "20.00")
                #expect(reused.status == 422 && !reused.isReplay, "\(key): \(reused)")
            }
        }
        #expect(conflicts > 0, "no two requests met")
        let books = try await lab.get(lab.state.payment_url + "/payment/audit?limit=500").body
        let payments = books["payments"]?.elements ?? []
        #expect(payments.count == Self.keys.count && books["charges_without_payment"]?.elements == [])
        for payment in payments {
            let key = try #require(payment["idempotency_key"]?.text)
            #expect(payment["payment_id"] == ids[key] && payment["status"] == .string("completed"), "\(payment)")
            let charges = payment["charges"]?.elements ?? []
            #expect(charges.count == 1 && charges.first?["state"] == .string("approved"), "\(payment)")
            #expect(charges.first?["amount_minor"] == .integer(1999), "\(payment)")
        }
        let stock = try await lab.get(lab.state.inventory_url + "/check/5")
        #expect(stock.body["stock_count"] == .integer(Int64(500 - Self.keys.count)))
    }

    /// The payment that two answers to one key name: one 200 of its own, and a 409 or a replay beside it.
    private static func paymentID(of answers: [Answer], _ key: String) throws -> JSONValue {
        let first = answers.filter { $0.status == 200 && !$0.isReplay }
        let second = answers.filter { $0.status == 409 || ($0.status == 200 && $0.isReplay) }
        #expect(first.count == 1 && second.count == 1, "\(key): \(answers)")
        let id = try #require(first.first?.body["payment_id"])
        #expect(second.allSatisfy { $0.body["payment_id"] == id && $0.isReplay == ($0.status == 200) }, "\(key)")
        return id
    }

    private struct Answer: Sendable {
        let status: Int
        let isReplay: Bool
        let body: JSONValue
    }

    private static func pay(
        _ client: HTTPClient, at url: String, _ key: String, amount: String = "19.99"
    ) async throws -> Answer {
        var headers: HTTPFields = [.contentType: "application/json"]
        headers[try #require(HTTPField.Name("Idempotency-Key"))] = key
        let response = try await client.execute(
            HTTPClientRequest(
                method: .post, url: url + "/payment/process", headers: headers,
                body: Data(#"{"amount":"\#(amount)","product_id":"5"}"#.utf8), timeout: .seconds(20)))
        let isReplay = response.headers[try #require(HTTPField.Name("Idempotent-Replayed"))] == "true"
        return Answer(status: response.status, isReplay: isReplay, body: try response.decode(JSONValue.self))
    }
}
