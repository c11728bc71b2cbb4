import Metrics
import Shared
import Testing

@testable import ScenarioRunner

/// From the text of `/metrics`, as the services write it, to numbers a second.
@Suite struct PathMeterTests {
    private let registry = MetricsRegistry()
    private let start = ContinuousClock.now

    private func attempts(_ count: Int, ms: Int64, to service: String = "inventory", _ outcome: String = "answered") {
        let timer = Timer(
            label: "downstream_attempt_duration_seconds", dimensions: [("service", service), ("outcome", outcome)],
            factory: registry)
        for _ in 0..<count { timer.recordNanoseconds(ms * 1_000_000) }
    }

    private func answers(_ count: Int, route: String, status: String) {
        let timer = Timer(
            label: "http_server_request_duration_seconds",
            dimensions: [("method", "POST"), ("route", route), ("status", status)], factory: registry)
        for _ in 0..<count { timer.recordNanoseconds(20_000_000) }
    }

    private var counts: ReplicaCounts { ReplicaCounts(metrics: registry.render()) }

    private func numbers(
        _ meter: PathMeter, _ path: ReplicaCounts.Path = .toInventory, _ replicas: [String] = ["payment-0"],
        after seconds: Int
    ) -> PathNumbers? {
        meter.numbers(of: path, at: replicas, now: start + .seconds(seconds))
    }

    @Test func twoReadingsMakeARate() {
        var meter = PathMeter()
        attempts(1000, ms: 3000)
        meter.add(counts, of: "payment-0", life: 0, at: start)
        #expect(numbers(meter, after: 0) == nil, "one reading tells nothing of now")
        attempts(30, ms: 7)
        attempts(10, ms: 2000, "failed")
        meter.add(counts, of: "payment-0", life: 0, at: start + .seconds(2))
        let now = numbers(meter, after: 2)
        // 40 attempts in 2 s, 30 of them answered; the 38th of 40 lies at 8/10 of the bucket from 1 to 2.5 s.
        #expect(now == PathNumbers(rateRps: 20, successRate: 0.75, p95Ms: 2200, seenBy: .caller))
        #expect(numbers(meter, .toNotification, after: 2)?.rateRps == 0, "nothing was asked there")
        #expect(numbers(meter, .toNotification, after: 2)?.successRate == nil)
        #expect(numbers(meter, after: 6) == nil, "a replica that does not answer any more tells nothing")
    }

    @Test func onlyTheLastSecondsCount() {
        var meter = PathMeter()
        for second in 0...9 {
            attempts(second < 5 ? 100 : 10, ms: 1)
            meter.add(counts, of: "payment-0", life: 0, at: start + .seconds(second))
        }
        #expect(numbers(meter, after: 9)?.rateRps == 10)
    }

    @Test func replicasAddUp() {
        var meter = PathMeter()
        for (second, count) in [(0, 0), (1, 10)] {
            attempts(count, ms: 1)
            for replica in ["payment-0", "payment-1"] {
                meter.add(counts, of: replica, life: 0, at: start + .seconds(second))
            }
        }
        #expect(numbers(meter, .toInventory, ["payment-0", "payment-1", "payment-2"], after: 1)?.rateRps == 20)
        #expect(numbers(meter, .toInventory, ["payment-2"], after: 1) == nil)
    }

    @Test func aNewProcessIsNotMixedWithTheOneBefore() {
        var meter = PathMeter()
        attempts(10, ms: 1, "failed")
        meter.add(counts, of: "payment-0", life: 0, at: start)
        attempts(10, ms: 1, "failed")
        meter.add(counts, of: "payment-0", life: 1, at: start + .seconds(1))
        #expect(numbers(meter, after: 1) == nil)
        attempts(10, ms: 1, "failed")
        meter.add(counts, of: "payment-0", life: 1, at: start + .seconds(2))
        #expect(numbers(meter, after: 2)?.rateRps == 10)
        // A process of which nobody was told: its counts have gone down.
        meter.add(ReplicaCounts(metrics: ""), of: "payment-0", life: 1, at: start + .seconds(3))
        #expect(numbers(meter, after: 3) == nil)
    }

    @Test func usersAreSeenWhereTheyArrive() {
        var meter = PathMeter()
        meter.add(counts, of: "payment-0", life: 0, at: start)
        answers(6, route: "/payment/process", status: "200")
        answers(2, route: "/payment/process", status: "402")
        answers(2, route: "/payment/status/{id}", status: "503")
        for (route, status) in [("/payment/audit", "200"), ("/metrics", "200"), ("none", "404")] {
            answers(50, route: route, status: status)
        }
        meter.add(counts, of: "payment-0", life: 0, at: start + .seconds(1))
        let users = numbers(meter, .fromUsers, after: 1)
        #expect(users?.rateRps == 10 && users?.successRate == 0.8 && users?.seenBy == .callee)
        // All in the bucket from 10 to 25 ms.
        #expect(users?.p95Ms == 24.3)
    }

    @Test func beyondTheLastBoundIsThatBound() {
        var meter = PathMeter()
        attempts(0, ms: 1)
        meter.add(counts, of: "payment-0", life: 0, at: start)
        attempts(5, ms: 60_000, "failed")
        meter.add(counts, of: "payment-0", life: 0, at: start + .seconds(1))
        #expect(numbers(meter, after: 1)?.p95Ms == 30_000)
    }

    @Test(arguments: [
        "", "\n", "downstream_attempt_duration_seconds_bucket", "http_server_request_duration_seconds_bucket{} x",
    ])
    func whatIsNoMetricsTellsNothing(text: String) {
        #expect(ReplicaCounts(metrics: text).paths.isEmpty)
    }
}
