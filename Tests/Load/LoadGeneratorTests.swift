import Experiments
import HTTPTypes
import Load
import Shared
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(1))) struct LoadGeneratorTests {
    /// Samples as they come, readable from any task.
    private final class Samples: Sendable {
        private let stored = Mutex<[RequestSample]>([])
        var all: [RequestSample] { stored.withLock { $0 } }
        func append(_ sample: RequestSample) { stored.withLock { $0.append(sample) } }
    }

    private struct ClosureSender: RequestSender {
        let body: @Sendable (PreparedRequest) async -> RequestSample.Outcome
        func send(_ request: PreparedRequest) async -> RequestResult { RequestResult(await body(request)) }
    }

    private func plan(
        rate: Double, seconds: Double, timeout: Duration = .seconds(10), maximumInFlight: Int = 1000
    ) throws -> LoadPlan {
        try LoadPlan(
            ratePerSecond: rate, duration: .seconds(seconds), seed: 1, runID: "run",
            requests: [try RequestTemplate(name: "look", method: .get, url: "http://a/")], timeout: timeout,
            maximumInFlight: maximumInFlight)
    }

    private func until(_ condition: () -> Bool) async throws {
        let deadline = ContinuousClock.now + .seconds(20)
        while !condition() {
            try #require(ContinuousClock.now < deadline, "the condition did not come true in 20 s")
            try await Task.sleep(for: .milliseconds(2))
        }
    }

    @Test func everyRequestIsDueAtItsTimeAndSampledOnce() async throws {
        let plan = try plan(rate: 200, seconds: 0.5)
        let samples = Samples()
        let start = MonotonicLoadClock().nowNs() + 50_000_000
        let sender = ClosureSender { $0.index == 3 ? .status(402) : .status(200) }
        await LoadGenerator(plan: plan, sender: sender, onSample: samples.append).run(startNs: start)
        let sorted = samples.all.sorted { $0.intendedNs < $1.intendedNs }
        #expect(sorted.map(\.intendedNs) == (0..<100).map { start + plan.offsetNs(of: $0) })
        #expect(sorted.allSatisfy { $0.endpoint == "look" && $0.isSuccess && $0.latencyNs >= $0.sendDelayNs })
        #expect(sorted.count { $0.isDeclined } == 1)
    }

    /// A server that answers nobody for 400 ms. A closed loop would show one slow request; here all who came in that
    /// time waited, the first for all of it and the last for none.
    @Test func aStallCountsForAllWhoMetIt() async throws {
        let clock = MonotonicLoadClock()
        let (plan, samples) = (try plan(rate: 100, seconds: 1), Samples())
        let start = clock.nowNs() + 20_000_000
        let (stallFrom, stallTo) = (start + 300_000_000, start + 700_000_000)
        let sender = ClosureSender { _ in
            if clock.nowNs() >= stallFrom { try? await clock.sleep(untilNs: stallTo) }
            return .status(200)
        }
        await LoadGenerator(plan: plan, sender: sender, onSample: samples.append).run(startNs: start)
        #expect(samples.all.count == 100)
        for sample in samples.all where sample.intendedNs >= stallFrom && sample.intendedNs < stallTo {
            #expect(sample.latencyNs >= stallTo - sample.intendedNs)
        }
        #expect(samples.all.count { $0.latencyNs >= 100_000_000 } >= 30)
    }

    @Test func aLateSendIsRecordedAndCounted() async throws {
        let (plan, samples) = (try plan(rate: 1000, seconds: 0.01), Samples())
        // Started 100 ms too late: every request is sent at once, and late.
        let start = MonotonicLoadClock().nowNs() - 100_000_000
        await LoadGenerator(plan: plan, sender: ClosureSender { _ in .status(200) }, onSample: samples.append)
            .run(startNs: start)
        #expect(samples.all.count == 10)
        #expect(samples.all.allSatisfy { $0.isLateSend && $0.sendDelayNs >= 90_000_000 && $0.latencyNs >= 90_000_000 })
    }

    @Test func requestsBeyondTheLimitAreDroppedAndCountAsLong() async throws {
        let (plan, samples) = (try plan(rate: 500, seconds: 0.02, maximumInFlight: 2), Samples())
        let (gate, opener) = AsyncStream<Never>.makeStream()
        let sender = ClosureSender { _ in
            for await _ in gate {}
            return .status(200)
        }
        let run = Task { await LoadGenerator(plan: plan, sender: sender, onSample: samples.append).run() }
        try await until { samples.all.count == 8 }
        #expect(samples.all.allSatisfy { $0.outcome == .dropped && $0.latencyNs == 10_000_000_000 && !$0.isSuccess })
        opener.finish()
        await run.value
        #expect(samples.all.count { $0.outcome == .status(200) } == 2)
    }

    @Test func aSenderThatForgetsItsDeadlineIsCutOff() async throws {
        let (plan, samples) = (try plan(rate: 100, seconds: 0.02, timeout: .milliseconds(50)), Samples())
        let sender = ClosureSender { _ in
            try? await Task.sleep(for: .seconds(600))
            return .status(200)
        }
        await LoadGenerator(plan: plan, sender: sender, onSample: samples.append).run()
        #expect(samples.all.map(\.outcome) == [.timedOut, .timedOut])
    }

    @Test func cancellingStopsAtOnceAndInventsNoFailures() async throws {
        let (plan, samples) = (try plan(rate: 100, seconds: 3600), Samples())
        let sender = ClosureSender { request in
            if request.index % 2 == 1 { try? await Task.sleep(for: .seconds(600)) }
            return .status(200)
        }
        let run = Task { await LoadGenerator(plan: plan, sender: sender, onSample: samples.append).run() }
        try await until { samples.all.count >= 3 }
        run.cancel()
        await run.value
        #expect(samples.all.allSatisfy { $0.outcome == .status(200) })
    }

    @Test(arguments: [
        (HTTPClientError.timedOut, RequestSample.Outcome.timedOut), (.connectFailed, .connectionFailed),
        (.connectionLost, .connectionFailed), (.closed, .connectionFailed),
    ])
    func theHTTPSenderNamesFailures(error: HTTPClientError, outcome: RequestSample.Outcome) async throws {
        let request = try plan(rate: 1, seconds: 1).request(at: 0)
        let sender = HTTPSender { sent in
            #expect(sent.url == "http://a/")
            #expect(sent.timeout == .seconds(10))
            throw error
        }
        #expect(await sender.send(request) == RequestResult(outcome))
    }
}
