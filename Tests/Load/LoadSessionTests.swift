import Experiments
import Foundation
import HTTPTypes
import Load
import Shared
import Synchronization
import Testing

@Suite struct LoadSessionTests {
    /// What an observer was told.
    private final class Told: Sendable {
        private let state = Mutex((samples: [RequestSample](), seconds: [LoadSecond](), progress: [LoadProgress]()))
        var samples: [RequestSample] { state.withLock { $0.samples } }
        var seconds: [LoadSecond] { state.withLock { $0.seconds } }
        var progress: [LoadProgress] { state.withLock { $0.progress } }

        var observer: LoadSession.Observer {
            var observer = LoadSession.Observer()
            observer.onSample = { sample in self.state.withLock { $0.samples.append(sample) } }
            observer.onSecond = { second in self.state.withLock { $0.seconds.append(second) } }
            observer.onProgress = { progress in self.state.withLock { $0.progress.append(progress) } }
            return observer
        }
    }

    private static let startNs: UInt64 = 7_000_000_000
    private let told = Told()

    private func plan(
        rate: Double, seconds: Double, requests: [RequestTemplate]? = nil, maximumInFlight: Int = 1000
    ) throws -> LoadPlan {
        let look = try RequestTemplate(name: "look", method: .get, url: "http://a/")
        return try LoadPlan(
            model: .open(ArrivalSchedule(rate: rate, duration: .seconds(seconds))), seed: 1, runID: "run",
            requests: requests ?? [look], timeout: .seconds(5), maximumInFlight: maximumInFlight)
    }

    private func session(_ plan: LoadPlan) -> LoadSession {
        LoadSession(plan, startNs: Self.startNs, observer: told.observer)
    }

    private func fast(_ sentNs: UInt64, _ message: LoadMessage) -> (atNs: UInt64, outcome: LoadEnd.Outcome)? {
        (sentNs + 2_000_000, .status(200))
    }

    @Test func everyRequestIsDueAtItsTimeAndSampledOnce() throws {
        let session = session(try plan(rate: 200, seconds: 0.5))
        VirtualLoop(answer: { ns, message in (ns + 2_000_000, .status(message.token == 3 ? 402 : 200)) })
            .run(session, fromNs: Self.startNs)
        #expect(told.samples.map(\.intendedNs) == (0..<100).map { Self.startNs + $0 * 5_000_000 })
        #expect(told.samples.allSatisfy { $0.endpoint == "look" && $0.latencyNs == 2_000_000 && $0.isSuccess })
        #expect(told.samples.allSatisfy { $0.replica == "payment-0" && $0.payment == nil })
        let summary = session.summary()
        #expect(summary.requests == 100 && summary.byStatus == ["200": 100] && summary.durationS == 0.5)
        #expect(summary.rateRps == 200 && summary.throughputRps == 200 && !summary.wasStopped)
    }

    @Test func lateSendsAreCountedAndWaitedFor() throws {
        let session = session(try plan(rate: 100, seconds: 1))
        VirtualLoop(answer: fast, delayNs: 3_000_000).run(session, fromNs: Self.startNs)
        // The first is due when the loop begins; it is in time.
        #expect(session.summary().lateSends == 99)
        #expect(told.samples.dropFirst().allSatisfy { $0.isLateSend && $0.latencyNs >= 5_000_000 })
    }

    @Test func requestsBeyondTheLimitAreDroppedAndCountAsLong() throws {
        let session = session(try plan(rate: 500, seconds: 0.02, maximumInFlight: 2))
        VirtualLoop(answer: { ns, _ in (ns + 1_000_000_000, .status(200)) }).run(session, fromNs: Self.startNs)
        let dropped = told.samples.filter { $0.outcome == .dropped }
        #expect(dropped.count == 8 && dropped.allSatisfy { $0.latencyNs == 5_000_000_000 && !$0.isSuccess })
        let summary = session.summary()
        #expect(summary.dropped == 8 && summary.mostInFlight == 2 && summary.successRate == 0.2)
        #expect(summary.byStatus == ["200": 2, "dropped": 8])
    }

    @Test func failuresHaveNamesAndTimeouts() throws {
        let session = session(try plan(rate: 10, seconds: 1))
        VirtualLoop(answer: { ns, message in
            switch (ns - Self.startNs) / 100_000_000 % 3 {
            case 0: nil
            case 1: (ns + 1_000_000, .failed(.connectionLost))
            default: (ns + 1_000_000, .status(503))
            }
        }).run(session, fromNs: Self.startNs)
        #expect(session.summary().byStatus == ["timed_out": 4, "connection_failed": 3, "503": 3])
        #expect(told.samples.count { $0.outcome == .timedOut && $0.latencyNs == 5_000_000_000 } == 4)
        #expect(session.summary().successRate == 0)
    }

    /// The requests that a stall keeps waiting belong to the second in which they were due.
    @Test func secondsAreThoseInWhichRequestsWereDue() throws {
        let session = session(try plan(rate: 100, seconds: 4))
        VirtualLoop(answer: { ns, _ in
            let second = (ns - Self.startNs) / 1_000_000_000
            return (second == 1 ? Self.startNs + 3_500_000_000 : ns + 1_000_000, .status(200))
        }).run(session, fromNs: Self.startNs)
        #expect(told.seconds.map(\.t) == [0, 1, 2, 3])
        #expect(told.seconds.allSatisfy { $0.requests == 100 && $0.ok == 100 })
        #expect(told.seconds[1].p50Ms > 1900 && told.seconds[2].maxMs < 2)
        // Live it looks otherwise: in its second nothing ends.
        #expect(told.progress.count == 4)
        #expect(told.progress[1].recentRequests == 0 && told.progress[1].inFlight == 101)
        #expect(told.progress[3].recentRequests == 200)
    }

    @Test func stoppingAwaitsWhatIsUnderWay() throws {
        let session = session(try plan(rate: 100, seconds: 3600))
        let end = VirtualLoop(answer: { ns, _ in (ns + 300_000_000, .status(200)) })
            .run(session, fromNs: Self.startNs) { if $0 >= Self.startNs + 2_000_000_000 { session.stop() } }
        #expect(end == Self.startNs + 2_290_000_000)
        #expect(told.samples.count == 200 && told.samples.allSatisfy(\.isSuccess))
        let summary = session.summary()
        #expect(summary.wasStopped && summary.durationS == 2 && summary.rateRps == 100)
    }

    @Test func abortingEndsAtOnceAndInventsNoFailures() throws {
        let session = session(try plan(rate: 100, seconds: 3600))
        let end = VirtualLoop(answer: { ns, message in ns == Self.startNs ? self.fast(ns, message) : nil })
            .run(session, fromNs: Self.startNs) { if $0 >= Self.startNs + 1_000_000_000 { session.abort() } }
        #expect(end == Self.startNs + 1_000_000_000)
        #expect(told.samples.count == 1 && told.samples.allSatisfy(\.isSuccess))
    }

    @Test func closedUsersWaitAndThink() throws {
        let plan = try LoadPlan(
            model: .closed(users: 3, thinkTime: .milliseconds(90), duration: .seconds(1)), seed: 1, runID: "run",
            requests: [try RequestTemplate(name: "look", method: .get, url: "http://a/")])
        let session = session(plan)
        VirtualLoop(answer: { ns, _ in (ns + 10_000_000, .status(200)) }).run(session, fromNs: Self.startNs)
        #expect(told.samples.count == 30 && told.samples.allSatisfy { $0.latencyNs == 10_000_000 })
        let summary = session.summary()
        #expect(summary.model == "closed" && summary.users == 3 && summary.arrivals == nil)
        #expect(summary.mostInFlight == 3)
    }

    // MARK: Answers

    @Test func expectationsDecideWhatSuccessIs() throws {
        let pointer = try #require(JSONPointer("/steps/0/status"))
        let expectation = AnswerExpectation(
            statuses: [200, 404], bodyContains: "ok", values: [.init(pointer: pointer, value: .string("success"))])
        let request = try RequestTemplate(name: "look", method: .get, url: "http://a/", expectation: expectation)
        let bodies = [
            #"{"steps":[{"status":"success"}],"ok":1}"#, #"{"steps":[{"status":"failed"}],"ok":1}"#,
            #"{"steps":[{"status":"success"}]}"#, "ok", "",
        ]
        let session = session(try plan(rate: 10, seconds: 1, requests: [request]))
        var index = 0
        VirtualLoop(
            answer: { ns, message in
                defer { index += 1 }
                return (ns + 1_000_000, .status(index < 5 ? 404 : 500))
            }, body: { _ in bodies[(index - 1) % 5] }
        ).run(session, fromNs: Self.startNs)
        #expect(told.samples.map(\.isSuccess) == [true] + Array(repeating: false, count: 9))
        #expect(session.summary().successRate == 0.1)
    }

    @Test func answersAreRecalledAndTaken() throws {
        let pay = try RequestTemplate(
            name: "pay", method: .post, url: "http://a/pay", weight: 1, body: "{}",
            remembers: ["payment_id": try #require(JSONPointer("/payment_id"))])
        let refund = try RequestTemplate(
            name: "refund", method: .post, url: "http://a/refund/${take:payment_id}", weight: 3)
        let session = session(try plan(rate: 100, seconds: 4, requests: [refund, pay]))
        var (made, refunded) = (0, [String]())
        VirtualLoop(
            answer: { ns, message in
                if let url = message.url { refunded.append(url) }
                return self.fast(ns, message)
            },
            body: { message in
                guard message.form == 1 else { return "{}" }
                made += 1
                return #"{"payment_id":"PAY-\#(made)"}"#
            }
        ).run(session, fromNs: Self.startNs)
        // Weights ask for three refunds a payment; none is refunded twice, so there are nearly as many of each.
        #expect(refunded.count + made == 400 && (0...10).contains(made - refunded.count))
        #expect(Set(refunded).count == refunded.count && refunded.allSatisfy { $0.hasPrefix("http://a/refund/PAY-") })
    }

    // MARK: Payments

    @Test func paymentsKeepTheirNamesAndAmounts() throws {
        let pay = try RequestTemplate(
            name: "pay", method: .post, url: "http://a/payment/process",
            headers: [("Idempotency-Key", "${uuid}")], body: #"{"amount":"${int:1,9}.50","currency":"USD"}"#)
        let session = session(try plan(rate: 100, seconds: 1, requests: [pay]))
        var sent: [(key: String?, body: String)] = []
        VirtualLoop(
            answer: { ns, message in
                sent.append((message.headers.first?.value, String(decoding: message.body ?? [], as: UTF8.self)))
                return self.fast(ns, message)
            }, body: { #"{"payment_id":"PAY-\#($0.token)"}"# }
        ).run(session, fromNs: Self.startNs)
        #expect(Set(sent.map(\.key)).count == 100)
        for (sample, (key, body)) in zip(told.samples, sent) {
            let payment = try #require(sample.payment)
            #expect(payment.idempotencyKey == key && key?.count == 36)
            #expect(payment.paymentID?.hasPrefix("PAY-") == true)
            let minorUnits = try #require(payment.amount?.minorUnits)
            #expect(body == #"{"amount":"\#(minorUnits / 100).50","currency":"USD"}"#)
        }
    }

    @Test(
        arguments: [
            (#"{"amount":"19.99","currency":"USD"}"#, 1999), (#"{"amount":19.99}"#, 1999), (#"{"amount":5}"#, 500),
            (#"{"amount":"19.99","currency":"XYZ"}"#, nil), (#"{"amount":"0"}"#, nil), ("{}", nil), ("", nil),
        ] as [(String, Int64?)])
    func whatIsToBePaidIsReadAsTheServiceReadsIt(body: String, minorUnits: Int64?) throws {
        let pay = try RequestTemplate(
            name: "pay", method: .post, url: "http://a/payment/process", headers: [("Idempotency-Key", "k")],
            body: body)
        let session = session(try plan(rate: 1, seconds: 1, requests: [pay]))
        VirtualLoop(answer: fast, body: { _ in "<html>" }).run(session, fromNs: Self.startNs)
        let payment = try #require(told.samples.first?.payment)
        #expect(payment.amount == minorUnits.map { Money(minorUnits: $0, currency: .usd) })
        #expect(payment.paymentID == nil && payment.idempotencyKey == "k")
    }
}
