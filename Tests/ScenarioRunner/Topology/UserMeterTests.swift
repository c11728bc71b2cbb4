import Foundation
import Load
import Shared
import Testing

@testable import ScenarioRunner

@Suite struct UserMeterTests {
    private let now = UnixTime(milliseconds: 1_000_000_000)

    private func run(_ id: String, requests: Int, success: Double?, p95: Double?, ago: Double = 1) -> RunView {
        var view = RunView(id: id, experiment: "loss-a", origin: .api, state: .running, startedAt: 0)
        view.live = .init(
            time: now.seconds - ago, runID: id, phase: .fault, requests: requests, successRate: success, declined: 0,
            p50Ms: nil, p95Ms: p95, p99Ms: nil)
        return view
    }

    private func locust(requests: Int, failures: Int, ago: Double) throws -> LocustRun {
        let text = """
            {"id": "LOCUST-1", "file": "shopper", "driver": "process", "users": 1, "spawn_rate": 1, "run_time_s": 60,
             "state": "running", "started_at": 0, "live": {"time": \(now.seconds - ago), "users": 1,
             "requests": \(requests), "failures": \(failures), "throughput_rps": 12.5, "p50_ms": 1, "p95_ms": 40}}
            """
        return try JSONDecoder().decode(LocustRun.self, from: Data(text.utf8))
    }

    private func load(requests: Int, ok: Int, p95: Double, state: LoadView.State = .running) throws -> LoadView {
        let text = """
            {"elapsed_s": 9, "requests": 90, "ok": 90, "late_sends": 0, "dropped": 0, "in_flight": 0,
             "recent_requests": \(requests), "recent_ok": \(ok), "recent_p95_ms": \(p95)}
            """
        var view = LoadView(
            id: "LOAD-1", profile: "checkout", state: state, startedAt: now.seconds - 10, shape: LoadShape(), seed: 1)
        view.progress = try JSONDecoder().decode(LoadProgress.self, from: Data(text.utf8))
        return view
    }

    @Test func aRunTellsItsLastSecond() {
        let meter = UserMeter()
        #expect(meter.numbers(runs: [], load: nil, now: now) == nil)
        let runs = [run("RUN-1", requests: 20, success: 0.35, p95: 3012.4)]
        let expected = PathNumbers(rateRps: 20, successRate: 0.35, p95Ms: 3012.4, seenBy: .caller)
        #expect(meter.numbers(runs: runs, load: nil, now: now) == expected)
        let old = [run("RUN-1", requests: 20, success: 1, p95: 1, ago: 4)]
        #expect(meter.numbers(runs: old, load: nil, now: now) == nil, "it has stopped telling")
        let idle = [run("RUN-1", requests: 0, success: nil, p95: nil)]
        let none = PathNumbers(rateRps: 0, successRate: nil, p95Ms: nil, seenBy: .caller)
        #expect(meter.numbers(runs: idle, load: nil, now: now) == none)
    }

    @Test func severalLoadsAddUp() throws {
        let runs = [run("RUN-1", requests: 30, success: 1, p95: 10), run("RUN-2", requests: 0, success: nil, p95: nil)]
        let numbers = UserMeter().numbers(runs: runs, load: try load(requests: 10, ok: 5, p95: 90), now: now)
        #expect(numbers == PathNumbers(rateRps: 40, successRate: 0.875, p95Ms: 90, seenBy: .caller))
        let ended = try load(requests: 10, ok: 5, p95: 90, state: .finished)
        #expect(UserMeter().numbers(runs: [], load: ended, now: now) == nil)
    }

    @Test func ofLocustTheLastSecondIsTheDifferenceOfTwo() throws {
        var meter = UserMeter()
        meter.hear(try locust(requests: 100, failures: 50, ago: 2))
        let first = meter.numbers(runs: [], load: nil, now: now)
        #expect(first == PathNumbers(rateRps: 12.5, successRate: nil, p95Ms: 40, seenBy: .caller))
        for _ in 1...2 { meter.hear(try locust(requests: 110, failures: 51, ago: 1)) }
        #expect(meter.numbers(runs: [], load: nil, now: now)?.successRate == 0.9)
        meter.hear(nil)
        #expect(meter.numbers(runs: [], load: nil, now: now) == nil)
    }
}
