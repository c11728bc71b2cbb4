import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Shared

@Suite("The delay of a hedge")
struct HedgeDelayTests {
    @Test("is unknown at first, then the 95th percentile of the latest answers")
    func percentile() {
        var delay = HedgeDelay()
        for _ in 0..<19 { delay.answered(after: .milliseconds(20)) }
        #expect(delay.current == nil)
        delay.answered(after: .milliseconds(20))
        #expect(delay.current == .milliseconds(20))
        for number in 1...128 { delay.answered(after: .milliseconds(100 + number)) }
        // 122 of 128 are at most this long.
        #expect(delay.current == .milliseconds(222))
        for _ in 1...128 { delay.answered(after: .microseconds(300)) }
        #expect(delay.current == HedgeDelay.shortest)
    }
}

@Suite("The concurrency limit")
struct ConcurrencyLimitTests {
    /// Serves `rounds` times as many requests at once as the limit allows; `latency` says how long each takes among
    /// how many.
    private func load(
        _ limit: inout ConcurrencyLimit, rounds: Int, asking: Int, latency: (_ inFlight: Int) -> Duration
    ) -> Int {
        var refused = 0
        for _ in 0..<rounds {
            var inside = 0
            for _ in 0..<asking { if limit.enter() { inside += 1 } else { refused += 1 } }
            for _ in 0..<inside { limit.leave(route: "a", latency: latency(inside)) }
        }
        return refused
    }

    @Test("grows while latency stays, and lets everyone in")
    func grows() {
        var limit = ConcurrencyLimit()
        let refused = load(&limit, rounds: 200, asking: 30) { _ in .milliseconds(5) }
        #expect(refused == 0)
        #expect(limit.current > 32)
        #expect(limit.inFlight == 0)
    }

    /// A server that does 4 at a time: latency grows with what is in it, throughput does not.
    @Test("shrinks when more requests only take longer, and refuses the rest")
    func shrinks() {
        var limit = ConcurrencyLimit()
        func latency(_ inFlight: Int) -> Duration { .milliseconds(10 * max(1, inFlight / 4)) }
        _ = load(&limit, rounds: 200, asking: 3, latency: latency)
        let refused = load(&limit, rounds: 50, asking: 200, latency: latency)
        #expect(refused > 0)
        #expect(limit.current < 16)
        #expect(limit.current >= ConcurrencyLimit.smallest)
        // It does not get used to it.
        _ = load(&limit, rounds: 100, asking: 200, latency: latency)
        #expect(limit.current < 16)
    }

    @Test("takes slow and quick routes for what each is")
    func routes() {
        var limit = ConcurrencyLimit()
        for _ in 0..<500 {
            for _ in 0..<20 { _ = limit.enter() }
            for number in 0..<20 {
                let isSlow = number.isMultiple(of: 2)
                limit.leave(route: isSlow ? "write" : "read", latency: .milliseconds(isSlow ? 50 : 1))
            }
        }
        #expect(limit.current >= 32)
    }

    @Test("learns nothing from what it did not work on")
    func unknown() {
        var limit = ConcurrencyLimit()
        for _ in 0..<100 {
            let isIn = limit.enter()
            #expect(isIn)
            limit.leave(route: "a", latency: nil)
        }
        #expect(limit.current == 32 && limit.inFlight == 0)
    }
}

/// Who is in a bulkhead.
private final class Presence: Sendable {
    let counts = Mutex((now: 0, most: 0, served: 0))
}

@Suite("The bulkhead")
struct BulkheadTests {
    @Test("lets in as many as there are places, the others in their order, and refuses what is too much")
    func line() {
        var line = WaitingLine(maxWaiting: 2)
        let arrivals = (1...5).map { line.arrives($0, places: 2) }
        #expect(arrivals == [.enters, .enters, .waits, .waits, .refused])
        let first = line.leaves(places: 2)
        #expect(first == [3])
        let isGone = line.givesUp(4)
        let isGoneAgain = line.givesUp(4)
        #expect(isGone && !isGoneAgain)
        let nobody = line.leaves(places: 2)
        #expect(nobody == [] && line.inside == 1)
    }

    @Test("follows a number of places that changes")
    func changes() {
        var line = WaitingLine(maxWaiting: 9)
        for id in 1...6 { _ = line.arrives(id, places: 2) }
        let none = line.leaves(places: 1)
        #expect(none == [] && line.inside == 1)
        let all = line.leaves(places: 9)
        #expect(all == [3, 4, 5, 6])
    }

    @Test("works for everyone once, never for more than its places, under a crowd of which some give up")
    func crowd() async throws {
        let inside = Presence()
        let bulkhead = Bulkhead(maxWaiting: 1000) { 3 }
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<300 {
                group.addTask {
                    let task = Task {
                        try await bulkhead.run {
                            inside.counts.withLock { $0 = ($0.now + 1, max($0.most, $0.now + 1), $0.served) }
                            await Task.yield()
                            inside.counts.withLock { $0 = ($0.now - 1, $0.most, $0.served + 1) }
                        }
                    }
                    if number.isMultiple(of: 5) { task.cancel() }
                    _ = await task.result
                }
            }
        }
        let (now, most, served) = inside.counts.withLock { $0 }
        #expect(now == 0 && (1...3).contains(most))
        #expect((240...300).contains(served))
        #expect(bulkhead.waitingCount == 0)
    }

    @Test("refuses at once what finds no place to wait")
    func full() async throws {
        let gate = Gate()
        let bulkhead = Bulkhead(maxWaiting: 1) { 1 }
        let first = Task { try await bulkhead.run { try await gate.wait() } }
        try await eventually { gate.arrived == 1 }
        let second = Task { try await bulkhead.run {} }
        try await eventually { bulkhead.waitingCount == 1 }
        await #expect(throws: BulkheadFull.self) { try await bulkhead.run {} }
        second.cancel()
        await #expect(throws: CancellationError.self) { try await second.value }
        gate.open()
        try await first.value
        try await bulkhead.run {}
    }
}
