import Experiments
import Foundation
import HTTPTypes
import Load
import Shared
import Testing

@Suite struct LoadPlanTests {
    private struct Sent: Equatable {
        let endpoint: Int
        let body: String?
        let key: String?
    }

    /// What a session sends in its first seconds.
    private func sent(
        _ profile: LoadProfile = .usual, seed: UInt64 = 7, runID: String = "run", seconds: Int = 20
    ) throws -> [Sent] {
        let plan = try LoadPlan(
            model: .open(ArrivalSchedule(rate: 50, duration: .seconds(seconds))), seed: seed, runID: runID,
            requests: profile.templates(targets: .init(all: "http://127.0.0.1:5002")))
        var sent: [Sent] = []
        VirtualLoop(answer: { ns, message in
            let key = message.headers.first { $0.name.canonicalName == "idempotency-key" }
            let body = message.body.map { String(decoding: $0, as: UTF8.self) }
            sent.append(Sent(endpoint: message.form, body: body, key: key?.value))
            return (ns + 1_000_000, .status(200))
        }).run(LoadSession(plan, startNs: 0), fromNs: 0)
        return sent
    }

    @Test func theSeedDecidesTheMixButKeysBelongToTheRun() throws {
        let (first, again, otherRun, otherSeed) = (
            try sent(), try sent(), try sent(runID: "other"), try sent(seed: 8)
        )
        #expect(first == again)
        #expect(first.map(\.body) == otherRun.map(\.body) && first.map(\.endpoint) == otherRun.map(\.endpoint))
        #expect(first.map(\.body) != otherSeed.map(\.body))
        let keys = first.compactMap(\.key)
        #expect(Set(keys).count == keys.count && keys.count == first.count { $0.endpoint == 1 })
        #expect(keys.allSatisfy { UUID(uuidString: $0) != nil })
        #expect(Set(otherRun.compactMap(\.key)).isDisjoint(with: keys))
    }

    @Test func theUsualLoadIsHalfChainsAndHalfPayments() throws {
        let sent = try sent()
        #expect(sent.count == 1000 && (430...570).contains(sent.count { $0.endpoint == 0 }))
        var products = Set<String>()
        for request in sent {
            let body = try JSONDecoder().decode(JSONValue.self, from: Data(try #require(request.body).utf8))
            products.insert(try #require(body["product_id"]?.text))
            #expect(body["amount"]?.text == (request.endpoint == 1 ? "19.99" : nil))
        }
        #expect(products == ["1", "2", "3", "4", "5"])
        let templates = try LoadProfile.usual.templates(targets: .init(all: "http://a/"))
        #expect(
            try templates.map(\.url) == [
                TextTemplate("http://a/payment/chain"), TextTemplate("http://a/payment/process"),
            ])
        #expect(templates.allSatisfy { $0.method == .post })
    }

    @Test func weightsAreKept() throws {
        let profile = try LoadProfile.load(
            """
            name: x
            requests:
              - {name: often, weight: 9, path: "/${choice:x,y}"}
              - {name: seldom, path: /}
            """, file: "x.yaml")
        #expect((870...930).contains(try sent(profile).count { $0.endpoint == 0 }))
    }

    @Test(arguments: [
        "${", "${uuid", "${choice:}", "${choose:1}", "a ${} b", "${int:3,1}", "${int:1}", "${uuid:1}", "${recall:}",
    ])
    func refusesUnknownPlaceholders(text: String) {
        #expect(throws: LoadPlanError.self) { try TextTemplate(text) }
    }

    @Test func refusesBadTemplates() throws {
        #expect(throws: LoadPlanError.self) { try RequestTemplate(name: "x", method: .trace, url: "/") }
        #expect(throws: LoadPlanError.self) { try RequestTemplate(name: "x", method: .get, url: "/", weight: 0) }
        #expect(throws: LoadPlanError.self) {
            try RequestTemplate(name: "x", method: .get, url: "/", headers: [("a b", "c")])
        }
        #expect(throws: LoadPlanError.self) {
            try RequestTemplate(name: "x", method: .get, url: "/${take:a}/${recall:a}")
        }
        let schedule = try ArrivalSchedule(rate: 1, duration: .seconds(1))
        #expect(throws: LoadPlanError.self) {
            try LoadPlan(model: .open(schedule), seed: 1, runID: "x", requests: [])
        }
        let lonely = try RequestTemplate(name: "x", method: .get, url: "/${recall:id}")
        #expect(throws: LoadPlanError.self) {
            try LoadPlan(model: .open(schedule), seed: 1, runID: "x", requests: [lonely])
        }
    }

    @Test func samplesGoThroughALineOfJSON() throws {
        for payment in [
            nil, RequestSample.Payment(idempotencyKey: "k", paymentID: "PAY-1"),
            RequestSample.Payment(
                idempotencyKey: "k", paymentID: nil, amount: Money(minorUnits: 1999, currency: .usd)),
            RequestSample.Payment(idempotencyKey: nil, paymentID: nil),
        ] {
            let sample = RequestSample(
                endpoint: "process", intendedNs: 1, sendDelayNs: 2, latencyNs: 3, outcome: .timedOut, payment: payment,
                replica: payment?.paymentID, isExpected: payment == nil ? nil : false)
            #expect(try JSONDecoder().decode(RequestSample.self, from: JSONEncoder().encode(sample)) == sample)
        }
        let long = RequestSample.Payment(idempotencyKey: nil, paymentID: String(repeating: "x", count: 1025))
        #expect(long.paymentID == nil)
    }
}
