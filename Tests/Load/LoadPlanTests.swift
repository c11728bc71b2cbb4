import Experiments
import Foundation
import HTTPTypes
import Load
import Testing

@Suite struct LoadPlanTests {
    private func plan(rate: Double = 20, seconds: Double = 60, seed: UInt64 = 7, runID: String = "run") throws
        -> LoadPlan
    {
        try LoadPlan.chainAndProcess(
            baseURL: "http://127.0.0.1:5002", ratePerSecond: rate, duration: .seconds(seconds), seed: seed, runID: runID
        )
    }

    @Test(arguments: [(20.0, 60.0, 1200), (3, 1, 3), (2.5, 1, 3), (0.5, 1, 1), (1000, 0.5, 500)])
    func arrivalsAreEvenAndEndBeforeTheEnd(rate: Double, seconds: Double, total: Int) throws {
        let plan = try plan(rate: rate, seconds: seconds)
        #expect(plan.total == total)
        for index in 0..<total {
            #expect(abs(Double(plan.offsetNs(of: index)) - Double(index) * 1e9 / rate) <= 0.5)
        }
        #expect(Double(plan.offsetNs(of: total - 1)) < seconds * 1e9)
    }

    @Test(arguments: [(0.0, 1.0), (-1, 1), (.nan, 1), (.infinity, 1), (1_000_000, 1), (1, 0), (1, -1), (10_000, 2000)])
    func refusesNumbersOutOfRange(rate: Double, seconds: Double) {
        #expect(throws: LoadPlanError.self) { try plan(rate: rate, seconds: seconds) }
    }

    @Test func theSeedDecidesTheMixButKeysBelongToTheRun() throws {
        let (first, again, otherRun, otherSeed) = (
            try plan(), try plan(), try plan(runID: "other"), try plan(seed: 8)
        )
        let requests = (0..<400).map(first.request)
        #expect(requests.map(\.endpoint) == (0..<400).map { again.request(at: $0).endpoint })
        #expect(requests.map(\.body) == (0..<400).map { otherRun.request(at: $0).body })
        #expect(requests.map(\.headers) == (0..<400).map { again.request(at: $0).headers })
        #expect(requests.map(\.body) != (0..<400).map { otherSeed.request(at: $0).body })

        let name = try #require(HTTPField.Name("Idempotency-Key"))
        let keys = requests.compactMap { $0.headers[name] }
        #expect(keys.count == requests.count { $0.endpoint == "process" })
        #expect(Set(keys).count == keys.count)
        #expect(keys.allSatisfy { UUID(uuidString: $0) != nil })
        let others = Set((0..<400).compactMap { otherRun.request(at: $0).headers[name] })
        #expect(others.isDisjoint(with: keys))
    }

    @Test func theDefaultLoadIsHalfChainsAndHalfPayments() throws {
        let plan = try plan()
        let requests = (0..<1000).map(plan.request)
        #expect((430...570).contains(requests.count { $0.endpoint == "chain" }))
        var products = Set<String>()
        for request in requests {
            #expect(request.method == .post)
            #expect(request.url == "http://127.0.0.1:5002/payment/\(request.endpoint)")
            #expect(request.headers[.contentType] == "application/json")
            let body =
                try JSONSerialization.jsonObject(with: Data(try #require(request.body).utf8)) as? [String: String]
            products.insert(try #require(body?["product_id"]))
            #expect(body?["amount"] == (request.endpoint == "process" ? "19.99" : nil))
        }
        #expect(products == ["1", "2", "3", "4", "5"])
    }

    @Test func weightsAreKept() throws {
        let plan = try LoadPlan(
            ratePerSecond: 10, duration: .seconds(10), seed: 1, runID: "x",
            requests: [
                try RequestTemplate(name: "often", method: .get, url: "http://a/${choice:x,y}", weight: 9),
                try RequestTemplate(name: "seldom", method: .get, url: "http://a/", weight: 1),
            ])
        let often = (0..<2000).count { plan.request(at: $0).endpoint == "often" }
        #expect((1740...1860).contains(often))
    }

    @Test(arguments: ["${", "${uuid", "${choice:}", "${choose:1}", "a ${} b"])
    func refusesUnknownPlaceholders(text: String) {
        #expect(throws: LoadPlanError.self) { try TextTemplate(text) }
    }

    @Test func refusesBadTemplates() {
        #expect(throws: LoadPlanError.self) { try RequestTemplate(name: "x", method: .trace, url: "/") }
        #expect(throws: LoadPlanError.self) { try RequestTemplate(name: "x", method: .get, url: "/", weight: 0) }
        #expect(throws: LoadPlanError.self) {
            try RequestTemplate(name: "x", method: .get, url: "/", headers: [("a b", "c")])
        }
        #expect(throws: LoadPlanError.self) {
            try LoadPlan(ratePerSecond: 1, duration: .seconds(1), seed: 1, runID: "x", requests: [])
        }
    }
}
