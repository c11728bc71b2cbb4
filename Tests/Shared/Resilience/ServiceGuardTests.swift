import Synchronization
import TestSupport
import Testing

@testable import Shared

private enum Failure: GuardedCallError, Equatable {
    case broken, refused, leftAlone

    var isFailureOfService: Bool { self == .broken }
    var retryAfter: Duration? { nil }
}

/// A service that a test scripts: what it answers to its first, second, ... call.
private final class Script: Sendable {
    private let calls = Mutex(0)
    let answer: @Sendable (_ call: Int, _ timeout: Duration) async throws -> Int

    init(_ answer: @escaping @Sendable (_ call: Int, _ timeout: Duration) async throws -> Int) { self.answer = answer }

    var count: Int { calls.withLock { $0 } }

    func call(_ timeout: Duration) async throws -> Int {
        let number = calls.withLock { calls in
            calls += 1
            return calls
        }
        return try await answer(number, timeout)
    }
}

@Suite("The guard of a service")
struct ServiceGuardTests {
    private let metrics = MetricsRegistry()

    private func makeGuard() -> ServiceGuard {
        ServiceGuard(service: "inventory", caller: "payment-0", metrics: metrics) { .fallback }
    }

    private func settings(
        _ profile: ResilienceProfile = .naive, on patterns: ResiliencePattern...
    ) -> ResilienceSettings {
        var settings = ResilienceSettings(profile)
        for pattern in patterns { settings.set(pattern, true) }
        return settings
    }

    private func call(
        _ serviceGuard: ServiceGuard, _ settings: ResilienceSettings, _ script: Script, isRepeatable: Bool = true,
        timeout: Duration = .seconds(10)
    ) async throws -> Int {
        try await serviceGuard.call(
            settings, isRepeatable: isRepeatable, timeout: timeout, failingWith: Failure.self
        ) { try await script.call($0) }
    }

    @Test("makes a failed call again only where that is switched on and safe")
    func retries() async throws {
        func script() -> Script {
            Script { call, _ in
                if call < 3 { throw Failure.broken }
                return call
            }
        }
        let storm = script()
        #expect(try await call(makeGuard(), settings(.retryStorm), storm) == 3)
        let careful = script()
        #expect(try await call(makeGuard(), settings(on: .retry), careful) == 3)
        #expect(metrics.render().contains(#"downstream_retries_total{service="inventory"} 4"#))

        for (profile, isRepeatable) in [(ResilienceProfile.naive, true), (.retryStorm, false)] {
            let once = script()
            await #expect(throws: Failure.broken) {
                try await call(makeGuard(), settings(profile), once, isRepeatable: isRepeatable)
            }
            #expect(once.count == 1)
        }
    }

    @Test("times every attempt, apart by whether the service failed")
    func times() async throws {
        let script = Script { call, _ in
            if call == 2 { throw Failure.broken }
            if call == 3 { throw Failure.refused }
            if call == 4 { throw CancellationError() }
            return call
        }
        let serviceGuard = makeGuard()
        for _ in 1...4 { _ = try? await call(serviceGuard, settings(), script) }
        func count(_ outcome: String) -> String {
            #"downstream_attempt_duration_seconds_count{outcome="\#(outcome)",service="inventory"}"#
        }
        let text = metrics.render()
        #expect(text.contains("\(count("answered")) 2\n"), "an answer that the caller does not like is one")
        #expect(text.contains("\(count("failed")) 1\n"), "what was called off says nothing of the service")
    }

    @Test("does not repeat a call that was answered, whatever the answer")
    func answered() async throws {
        let script = Script { _, _ in throw Failure.refused }
        await #expect(throws: Failure.refused) { try await call(makeGuard(), settings(.hardened), script) }
        #expect(script.count == 1)
    }

    @Test("gives each attempt its share of one deadline")
    func deadline() async throws {
        let given = Mutex<[Duration]>([])
        let script = Script { _, timeout in
            given.withLock { $0.append(timeout) }
            throw Failure.broken
        }
        await #expect(throws: Failure.broken) {
            try await call(makeGuard(), settings(.retryStorm), script, timeout: .seconds(10))
        }
        #expect(script.count == RetryPolicy.eager.maxAttempts)
        #expect(given.withLock { $0.allSatisfy { $0 <= .milliseconds(500) } })

        // The caller's own deadline counts, too: nothing is left of it after the first attempt.
        let slow = Script { _, timeout in
            try await Task.sleep(for: timeout)
            throw Failure.broken
        }
        await RequestDeadline.$current.withValue(RequestDeadline(after: .milliseconds(60))) {
            await #expect(throws: Failure.broken) { try await call(makeGuard(), settings(.retryStorm), slow) }
        }
        #expect(slow.count == 1)
    }

    @Test("makes at most a fifth more calls on a service that fails everyone, and says what it did not do")
    func budget() async throws {
        let serviceGuard = makeGuard()
        let script = Script { _, _ in throw Failure.broken }
        let calls = 200
        let start = ContinuousClock.now
        for _ in 0..<calls {
            _ = try? await call(serviceGuard, settings(.retryStorm, on: .retryBudget), script)
        }
        // What was saved before, the share, and the floor for as long as it took.
        let floor = Int((ContinuousClock.now - start).seconds.rounded(.up))
        #expect(script.count - calls <= 10 + calls / 5 + floor + 1)
        #expect(script.count - calls >= calls / 5)
        #expect(metrics.render().contains(#"downstream_retries_denied_total{service="inventory"}"#))
    }

    @Test("leaves a service alone that keeps failing, and tells its callers at once")
    func breaker() async throws {
        let serviceGuard = makeGuard()
        let script = Script { _, _ in throw Failure.broken }
        for _ in 0..<10 { _ = try? await call(serviceGuard, settings(on: .circuitBreaker), script) }
        await #expect(throws: Failure.leftAlone) { try await call(serviceGuard, settings(on: .circuitBreaker), script) }
        #expect(script.count == 10)
        #expect(metrics.render().contains(#"circuit_breaker_state{service="inventory"} 2"#))
        // Switched off, it is asked no more.
        await #expect(throws: Failure.broken) { try await call(serviceGuard, settings(), script) }
    }

    @Test("makes a slow call a second time beside the first, and cancels the one that loses")
    func hedges() async throws {
        let serviceGuard = makeGuard()
        let hedging = settings(on: .hedging)
        let quick = Script { call, _ in call }
        for _ in 0..<HedgeDelay.minCalls { _ = try await call(serviceGuard, hedging, quick) }

        let wasCancelled = Mutex(false)
        let script = Script { call, _ in
            guard call == 1 else { return call }
            do { try await Task.sleep(for: .seconds(60)) } catch {
                wasCancelled.withLock { $0 = true }
                throw error
            }
            return call
        }
        #expect(try await call(serviceGuard, hedging, script) == 2)
        #expect(wasCancelled.withLock { $0 })
        #expect(metrics.render().contains(#"downstream_hedges_won_total{service="inventory"} 1"#))

        let once = Script { call, _ in
            try await Task.sleep(for: .milliseconds(100))
            return call
        }
        #expect(try await call(serviceGuard, hedging, once, isRepeatable: false) == 1)
        #expect(once.count == 1)
    }

    @Test("fails a hedged call only when both attempts have failed")
    func hedgeFails() async throws {
        let serviceGuard = makeGuard()
        let hedging = settings(on: .hedging)
        let quick = Script { call, _ in call }
        for _ in 0..<HedgeDelay.minCalls { _ = try await call(serviceGuard, hedging, quick) }
        let first = Script { call, _ in
            if call == 2 { throw Failure.broken }
            try await Task.sleep(for: .milliseconds(200))
            return call
        }
        #expect(try await call(serviceGuard, hedging, first) == 1)
        #expect(first.count == 2)
        let isHedged = Atomic<Bool>(false)
        let both = Script { call, _ in
            if call == 2 { isHedged.store(true, ordering: .releasing) }
            // The first fails when the second is under way, however long that takes.
            try await eventually("the second call") { isHedged.load(ordering: .acquiring) }
            throw Failure.broken
        }
        await #expect(throws: Failure.broken) { try await call(serviceGuard, hedging, both) }
        #expect(both.count == 2)
    }
}
