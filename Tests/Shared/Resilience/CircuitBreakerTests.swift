import Testing

@testable import Shared

@Suite("The circuit breaker")
struct CircuitBreakerTests {
    private let start = ContinuousClock.now

    /// Makes calls at one instant.
    private func make(
        _ calls: Int, _ outcome: CircuitBreaker.Outcome, _ breaker: inout CircuitBreaker,
        at instant: ContinuousClock.Instant
    ) {
        for _ in 0..<calls {
            guard let permit = breaker.admit(at: instant) else { return }
            breaker.ended(permit, outcome, at: instant)
        }
    }

    private func opened() -> CircuitBreaker {
        var breaker = CircuitBreaker(at: start)
        make(10, .failed, &breaker, at: start)
        return breaker
    }

    @Test("opens when half of enough calls failed, and not before")
    func opens() {
        var breaker = CircuitBreaker(at: start)
        make(9, .failed, &breaker, at: start)
        #expect(breaker.state == .closed)
        make(1, .failed, &breaker, at: start)
        #expect(breaker.state == .open)
        let refused = breaker.admit(at: start + .milliseconds(1999))
        #expect(refused == nil)

        var mixed = CircuitBreaker(at: start)
        make(11, .succeeded, &mixed, at: start)
        make(10, .failed, &mixed, at: start)
        #expect(mixed.state == .closed)
        make(1, .failed, &mixed, at: start)
        #expect(mixed.state == .open)
    }

    @Test("forgets what is older than its window")
    func window() {
        var breaker = CircuitBreaker(at: start)
        make(9, .failed, &breaker, at: start)
        make(9, .failed, &breaker, at: start + .seconds(10))
        #expect(breaker.state == .closed)
        make(1, .failed, &breaker, at: start + .seconds(19))
        #expect(breaker.state == .open)
    }

    @Test("lets a few probes through, and closes when all of them succeed")
    func closes() throws {
        var breaker = opened()
        let later = start + .seconds(2)
        let probes = (0..<4).map { _ in breaker.admit(at: later) }
        #expect(breaker.state == .halfOpen)
        #expect(probes.map { $0 != nil } == [true, true, true, false])
        for probe in probes.prefix(3) { breaker.ended(try #require(probe), .succeeded, at: later) }
        #expect(breaker.state == .closed)
        // What was counted before it opened is forgotten.
        make(9, .failed, &breaker, at: later)
        #expect(breaker.state == .closed)
    }

    @Test("opens again for its whole time when a probe fails")
    func reopens() throws {
        var breaker = opened()
        let admitted = breaker.admit(at: start + .seconds(2))
        let probe = try #require(admitted)
        breaker.ended(probe, .failed, at: start + .seconds(3))
        #expect(breaker.state == .open)
        let early = breaker.admit(at: start + .milliseconds(4999))
        #expect(early == nil)
        let next = breaker.admit(at: start + .seconds(5))
        #expect(next != nil)
    }

    @Test("gives the place of a probe that was given up to another one")
    func abandoned() throws {
        var breaker = opened()
        let later = start + .seconds(2)
        for _ in 0..<20 {
            let admitted = breaker.admit(at: later)
            let probe = try #require(admitted)
            breaker.ended(probe, .abandoned, at: later)
        }
        make(3, .succeeded, &breaker, at: later)
        #expect(breaker.state == .closed)
    }

    @Test("does not listen to calls that began in an earlier state")
    func late() {
        var breaker = CircuitBreaker(at: start)
        let slow = (0..<20).compactMap { _ in breaker.admit(at: start) }
        #expect(slow.count == 20)
        make(10, .failed, &breaker, at: start)
        make(3, .succeeded, &breaker, at: start + .seconds(2))
        #expect(breaker.state == .closed)
        for permit in slow { breaker.ended(permit, .failed, at: start + .seconds(3)) }
        #expect(breaker.state == .closed)
    }
}
