import ServiceLifecycle
import ServiceTesting
import TestSupport
import Testing

@testable import Shared

@Suite("Following the runner's settings")
struct SettingsFollowerTests {
    /// Runs a follower of `runnerURL` while `body` runs.
    private func follow(
        _ runnerURL: String?, log: LogLines = LogLines(), metrics: MetricsRegistry = MetricsRegistry(),
        _ body: @escaping @Sendable (SettingsFollower) async throws -> Void
    ) async throws {
        try await withHTTPClient { client in
            let follower = SettingsFollower(
                // Longer than any test waits: what depends on the end of a poll fails.
                runnerURL: runnerURL, waitSeconds: 60, client: client, metrics: metrics, logger: log.logger())
            let group = ServiceGroup(configuration: .init(services: [follower], logger: log.logger()))
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { try await group.run() }
                try await body(follower)
                await group.triggerGracefulShutdown()
                try await tasks.waitForAll()
            }
        }
    }

    @Test("takes over a change at once, without polling for it")
    func change() async throws {
        let (runner, log, metrics) = (FakeRunner(), LogLines(), MetricsRegistry())
        try await runner.run(logger: log.logger()) { url in
            try await follow(url, log: log, metrics: metrics) { follower in
                try await eventually { runner.isFollowed }
                let polls = runner.polls
                for probability in [10.0, 20, 30] {
                    runner.change(seed: 11) { ($0.stolenCardEnabled, $0.stolenCardProbability) = (true, probability) }
                    try await eventually { follower.current.failureModes.stolenCardProbability == probability }
                }
                #expect(follower.current.seed == 11)
                #expect(runner.polls <= polls + 4)
            }
        }
        #expect(log.text.contains("stolen-card 30.0"))
        #expect(metrics.render().contains("service_settings_version 4.0"))
    }

    @Test("has everything off without a runner")
    func noRunner() async throws {
        try await follow(nil) { follower in #expect(follower.current == .off) }
    }

    @Test("switches everything off when the runner is away for longer than the lease, and finds it again")
    func away() async throws {
        let (runner, log) = (FakeRunner(), LogLines())
        runner.change(lease: 1) { ($0.cardDeclineEnabled, $0.cardDeclineProbability) = (true, 100) }
        runner.setAway(true)
        try await runner.run(logger: log.logger()) { url in
            try await follow(url, log: log) { follower in
                try await eventually { log.text.contains("does not answer") }
                #expect(follower.current == .off)
                runner.setAway(false)
                try await eventually { follower.current.failureModes.cardDeclineEnabled }

                runner.setAway(true)
                try await eventually { follower.current == .off }
                runner.setAway(false)
                // Although its version is the one from before: the runner must not hold this poll.
                try await eventually { follower.current.failureModes.cardDeclineEnabled }
            }
        }
        // Once an absence, however many polls failed in it.
        #expect(log.text.ranges(of: "does not answer").count == 2)
    }

    @Test("asks again and again where nobody listens")
    func refusing() async throws {
        let metrics = MetricsRegistry()
        try await follow(RawServer.refusingURL, metrics: metrics) { follower in
            try await eventually { metrics.render().contains("service_settings_poll_failures_total 2") }
            #expect(follower.current == .off)
        }
    }

    @Test(
        "changes nothing for an answer that makes no sense",
        arguments: [
            RawServer.response(status: 500, "{}"), RawServer.response(status: 200, "<html>"),
            RawServer.response(status: 200, #"{"version":1}"#), "",
        ])
    func nonsense(answer: String) async throws {
        let metrics = MetricsRegistry()
        try await RawServer.run(answering: answer) { url in
            try await follow(url, metrics: metrics) { follower in
                try await eventually { metrics.render().contains("service_settings_poll_failures_total 2") }
                #expect(follower.current == .off)
            }
        }
    }

    @Test("ends at once although a poll is waiting")
    func end() async throws {
        try await RawServer.run(answering: nil) { url in
            let start = ContinuousClock.now
            try await follow(url) { _ in }
            #expect(ContinuousClock.now - start < .seconds(30))
        }
    }
}
