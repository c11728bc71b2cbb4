import Experiments
import Load
import Metrics
import Shared
import Testing

@testable import ScenarioRunner

/// What the callers' counts say of the paths of a fault.
@Suite struct PathWitnessTests {
    private let registry = MetricsRegistry()
    private let start = ContinuousClock.now

    private func attempts(_ count: Int, ms: Int64, _ outcome: String = "answered") {
        let timer = Timer(
            label: "downstream_attempt_duration_seconds",
            dimensions: [("service", "inventory"), ("outcome", outcome)], factory: registry)
        for _ in 0..<count { timer.recordNanoseconds(ms * 1_000_000) }
    }

    private func look(after seconds: Int, life: Int = 0, _ names: [String] = ["payment-a"]) -> PathWitness.Look {
        let counts = ReplicaCounts(metrics: registry.render())
        return .init(
            time: start + .seconds(seconds),
            replicas: Dictionary(uniqueKeysWithValues: names.map { ($0, .init(counts: counts, life: life)) }))
    }

    private func counts(
        _ now: PathWitness.Look, since before: PathWitness.Look, slowness: Duration = .milliseconds(100)
    ) -> TrafficCounts {
        now.counts(since: before, of: .toInventory, at: ["payment-a", "payment-b"], slowness: slowness)
    }

    @Test func slowCallsAndThoseWithoutAnAnswerAreTouched() {
        attempts(50, ms: 3000)
        let before = look(after: 0)
        attempts(30, ms: 7)
        attempts(5, ms: 180)
        attempts(3, ms: 7, "failed")
        attempts(2, ms: 3000, "failed")
        let now = look(after: 4)
        #expect(counts(now, since: before) == TrafficCounts(calls: 40, touched: 10, seconds: 4))
        // Between two bounds the lower one counts.
        #expect(counts(now, since: before, slowness: .milliseconds(249)).touched == 10)
        #expect(counts(now, since: before, slowness: .milliseconds(250)).touched == 5)
        #expect(counts(now, since: before, slowness: .milliseconds(1500)).touched == 5)
    }

    @Test func callersAddUpAndThoseThatBeganAnewAreLeftOut() {
        let before = look(after: 0, ["payment-a", "payment-b"])
        attempts(10, ms: 7)
        #expect(counts(look(after: 1, ["payment-a", "payment-b"]), since: before).calls == 20)
        #expect(counts(look(after: 1, ["payment-b"]), since: before).calls == 10)
        #expect(counts(look(after: 1, life: 1), since: before) == .none)
        #expect(!look(after: 1).knows("payment-b"))
    }

    @Test func boundsAreThoseThatAreCounted() {
        #expect(ReplicaCounts.bound(within: .milliseconds(1500)) == .seconds(1))
        #expect(ReplicaCounts.bound(within: .milliseconds(100)) == .milliseconds(100))
        #expect(ReplicaCounts.bound(within: .microseconds(100)) == nil)
    }

    @Test func onlyWholePathsAreLookedAt() async {
        let client = HTTPClient()
        let names = ["payment-a", "payment-b", "inventory-a", "inventory-b", "notification-a"]
        let replicas = names.map { name in
            SystemUnderTest.Replica(
                name: name, tier: String(name.prefix { $0 != "-" }), address: "", port: 0, state: .up, restarts: 0)
        }
        let url = "http://localhost:1"
        let witness = PathWitness(
            system: SystemUnderTest(
                replicas: { replicas }, targets: .init(payment: url, inventory: url, notification: url),
                executable: ""), client: client)
        func paths(_ places: [(String, String)]) -> [String] {
            witness.paths(in: Set(places.map { .path(from: $0.0, to: $0.1) })).map {
                "\($0.callers.joined(separator: ",")) -> \($0.service)"
            }
        }
        #expect(paths([("payment-a", "inventory-a")]) == [], "the other inventory is called too")
        #expect(
            paths([("payment-a", "inventory-a"), ("payment-a", "inventory-b")]) == ["payment-a -> inventory-service"])
        #expect(
            paths([("inventory-a", "payment-b"), ("inventory-b", "payment-b"), ("payment-a", "notification-a")])
                == ["payment-b -> inventory-service", "payment-a -> notification-service"])
        #expect(paths([("client", "payment-a")]) == [])
        await client.shutdown()
    }
}
