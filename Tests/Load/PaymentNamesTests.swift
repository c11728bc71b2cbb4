import Experiments
import Foundation
import HTTPTypes
import Hummingbird
import Load
import Shared
import Synchronization
import TestSupport
import Testing

/// The load keeps the names of its payments, so that each can be found in the books. On real sockets.
@Suite(.timeLimit(.minutes(1))) struct PaymentNamesTests {
    @Test func aPaymentCarriesItsKeyAndTheIDOfItsAnswer() async throws {
        let answers: [(HTTPResponse.Status, String)] = [
            (.ok, #"{"payment_id":"PAY-1","status":"success"}"#),
            (.init(code: 402), #"{"payment_id":"PAY-2","error":"declined"}"#),
            (.gatewayTimeout, #"{"payment_id":"PAY-3"}"#), (.badGateway, "<html>"), (.ok, #"{"payment_id":5}"#),
        ]
        let samples = try await load(answers: answers)
        #expect(samples.map(\.payment?.paymentID) == ["PAY-1", "PAY-2", "PAY-3", nil, nil])
        let keys = samples.compactMap(\.payment?.idempotencyKey)
        #expect(Set(keys).count == 5 && keys.allSatisfy { $0.count == 36 })
    }

    @Test func aSampleNamesTheReplicaThatAnswered() async throws {
        let named = try await load(answers: [(.ok, "{}")], servedBy: "payment-1")
        #expect(named.map(\.replica) == ["payment-1"])
        #expect(try await load(answers: [(.ok, "{}")]).map(\.replica) == [nil])
        let line = try JSONEncoder().encode(named[0])
        #expect(String(decoding: line, as: UTF8.self).contains(#""r":"payment-1""#))
        #expect(try JSONDecoder().decode(RequestSample.self, from: line) == named[0])
    }

    @Test func aChainHasNoNames() async throws {
        let samples = try await load(answers: [(.ok, #"{"payment_id":"PAY-1"}"#)], path: "/payment/chain")
        #expect(samples.map(\.payment) == [nil])
    }

    @Test func namesGoThroughALineOfJSON() throws {
        for payment in [
            nil, RequestSample.Payment(idempotencyKey: "k", paymentID: "PAY-1"),
            RequestSample.Payment(
                idempotencyKey: "k", paymentID: nil, amount: Money(minorUnits: 1999, currency: .usd)),
            RequestSample.Payment(idempotencyKey: nil, paymentID: nil),
        ] {
            let sample = RequestSample(
                endpoint: "process", intendedNs: 1, sendDelayNs: 2, latencyNs: 3, outcome: .timedOut, payment: payment)
            #expect(try JSONDecoder().decode(RequestSample.self, from: JSONEncoder().encode(sample)) == sample)
        }
        let long = RequestSample.Payment(idempotencyKey: nil, paymentID: String(repeating: "x", count: 1025))
        #expect(long.paymentID == nil)
    }

    @Test(
        arguments: [
            (#"{"amount":"19.99","currency":"USD"}"#, 1999), (#"{"amount":19.99}"#, 1999), (#"{"amount":5}"#, 500),
            (#"{"amount":"19.99","currency":"XYZ"}"#, nil), (#"{"amount":"0"}"#, nil), ("{}", nil), ("", nil),
        ] as [(String, Int64?)])
    func whatIsToBePaidIsReadAsTheServiceReadsIt(body: String, minorUnits: Int64?) throws {
        let plan = try LoadPlan(
            ratePerSecond: 1, duration: .seconds(1), seed: 1, runID: "amounts",
            requests: [
                try RequestTemplate(
                    name: "r", method: .post, url: "http://127.0.0.1:1/payment/process", body: body)
            ])
        let amount = plan.request(at: 0).payment(id: nil)?.amount
        #expect(amount == minorUnits.map { Money(minorUnits: $0, currency: .usd) })
    }

    /// One request after another, each with its own answer.
    private func load(
        answers: [(HTTPResponse.Status, String)], path: String = "/payment/process",
        servedBy replica: String? = nil
    ) async throws -> [RequestSample] {
        let left = Mutex(answers)
        let route = Route.post(path) { _, _ in
            let (status, body) = left.withLock { $0.removeFirst() }
            let headers: HTTPFields = replica.map { [.servedBy: $0] } ?? [:]
            return Response(status: status, headers: headers, body: .init(byteBuffer: .init(string: body)))
        }
        return try await withServer(routes: [route]) { server in
            let plan = try LoadPlan(
                ratePerSecond: 1000, duration: .milliseconds(answers.count), seed: 1, runID: "names",
                requests: [
                    try RequestTemplate(
                        name: "r", method: .post, url: "http://127.0.0.1:\(server.port)\(path)",
                        headers: [("Content-Type", "application/json"), ("Idempotency-Key", "${uuid}")], body: "{}")
                ])
            let client = HTTPClient()
            let sender = HTTPSender(execute: client.execute)
            var samples: [RequestSample] = []
            for index in answers.indices {
                let request = plan.request(at: index)
                let result = await sender.send(request)
                samples.append(
                    RequestSample(
                        endpoint: "r", intendedNs: 0, sendDelayNs: 0, latencyNs: 0, outcome: result.outcome,
                        payment: request.payment(id: result.paymentID), replica: result.replica))
            }
            await client.shutdown()
            return samples
        }
    }
}
