import Experiments
import Testing

@testable import Sandbox

/// netem's arithmetic, with a clock and a store made up.
@Suite struct NetemTests {
    /// Remembers what is done to which packet.
    private final class Store: PacketStore {
        var room = Int.max
        private(set) var next = 1_000_000
        private(set) var released: [Int] = []
        private(set) var flips: [(slot: Int, byte: Int, bit: Int)] = []

        func copy(_ slot: Int) -> Int? {
            guard room > 0 else { return nil }
            room -= 1
            next += 1
            return next
        }
        func flip(_ slot: Int, byte: Int, bit: Int) { flips.append((slot, byte, bit)) }
        func release(_ slot: Int) { released.append(slot) }
    }

    private let store = Store()

    private func enqueue(_ queue: inout NetemQueue, _ slot: Int, at nowNs: Int64 = 0, bytes: Int = 986) {
        queue.enqueue(
            QueuedPacket(slot: slot, bytes: bytes, arrivalNs: nowNs), nowNs: nowNs, in: store)
    }

    private func drain(_ queue: inout NetemQueue, at nowNs: Int64 = .max) -> [Int] {
        var slots: [Int] = []
        while let packet = queue.dequeue(nowNs: nowNs) { slots.append(packet.slot) }
        return slots
    }

    // MARK: Random numbers

    @Test func eachDrawLeansOnTheOneBefore() {
        var plain = SeededGenerator(seed: 5)
        var generator = plain
        var random = CorrelatedRandom(correlation: 0.25, using: &generator)
        // The kernel's own numbers: a quarter of 2^32 - 1, rounded, and one more.
        let rho: UInt64 = 1_073_741_824 + 1
        var last = UInt64(plain.next32())
        for _ in 0..<100 {
            last = (UInt64(plain.next32()) * ((1 << 32) - rho) + last * rho) >> 32
            #expect(random.next(using: &generator) == UInt32(last))
        }
        var independent = CorrelatedRandom(correlation: 0, using: &generator)
        plain = generator
        #expect(independent.next(using: &generator) == plain.next32())
        var stuck = CorrelatedRandom(correlation: 1, using: &generator)
        let first = stuck.next(using: &generator)
        #expect((0..<10).allSatisfy { _ in stuck.next(using: &generator) == first })
    }

    @Test(arguments: [(0.8, 0.5), (0.5, 0.25), (0.1, 0.25), (0.95, 0.75), (0.2, 0)])
    func aShareIsWhatThePlanSays(probability: Double, correlation: Double) {
        var generator = SeededGenerator(seed: 11)
        var share = RandomShare(.init(probability: probability, correlation: correlation), using: &generator)
        let draws = 200_000
        let hits = (0..<draws).count { _ in share.draws(using: &generator) }
        let expected = NetemCorrelation.longRunLoss(loss: probability, correlation: correlation)
        #expect(abs(Double(hits) / Double(draws) - expected) < 0.006)
        #expect(share.tally.draws == UInt64(draws) && share.tally.hits == UInt64(hits))
        #expect(share.tally.blocks == UInt64(draws) / ShareTally.blockLength)
        #expect(share.tally.blockHits <= share.tally.hits)
    }

    @Test func noneAndAllAreExact() {
        var generator = SeededGenerator(seed: 1)
        var none = RandomShare(nil, using: &generator)
        var all = RandomShare(.init(probability: 1), using: &generator)
        for _ in 0..<1000 {
            let drawn = (none.draws(using: &generator), all.draws(using: &generator))
            #expect(drawn == (false, true))
        }
        #expect(none.tally.draws == 0)
    }

    // MARK: Delay

    @Test func aDelayIsUniformWithinItsJitter() {
        var generator = SeededGenerator(seed: 3)
        let delay = Impairment.Delay(latency: .milliseconds(200), jitter: .milliseconds(50))
        var draw = DelayDraw(delay, using: &generator)
        let values = (0..<20_000).map { _ in Double(draw.next(using: &generator)) / 1e6 }
        #expect(values.allSatisfy { 150 <= $0 && $0 < 250 })
        for quarter in 0..<4 {
            let from = 150 + 25 * Double(quarter)
            #expect(abs(values.count { from <= $0 && $0 < from + 25 } - 5000) < 250)
        }
        let expected = DelayDraw.expectation(delay, draws: 1 << 16)
        #expect(abs(expected.meanMs - 200) < 0.5 && abs(expected.deviationMs - 50 / 3.0.squareRoot()) < 0.3)
    }

    @Test(arguments: [
        // No jitter; more than the latency, so that the lower part is at once, with the unevenness that the kernel's
        // modulo has there; more than the kernel takes.
        (100, 0, 100.0, 0.1), (100, 300, 400.0 * 400 / 1200, 3.0), (5000, 60_000, 5000.0, 20.0),
    ])
    func theMeanThatIsExpected(latencyMs: Int, jitterMs: Int, mean: Double, tolerance: Double) {
        let delay = Impairment.Delay(latency: .milliseconds(latencyMs), jitter: .milliseconds(jitterMs))
        let expected = DelayDraw.expectation(delay, draws: 1 << 16)
        #expect(abs(expected.meanMs - mean) < tolerance, "\(expected)")
    }

    @Test func packetsLeaveInTheOrderOfTheirTimes() {
        let delay = Impairment.Delay(latency: .milliseconds(10), jitter: .milliseconds(9))
        var queue = NetemQueue(Impairment(delay: delay), seed: 4)
        for slot in 0..<500 { enqueue(&queue, slot, at: Int64(slot) * 100_000) }
        var last: Int64 = 0
        var slots: [Int] = []
        while let due = queue.nextDueNs {
            #expect(queue.dequeue(nowNs: due - 1) == nil)
            let packet = queue.dequeue(nowNs: due)
            #expect(packet?.isDelayed == true && due >= last)
            #expect(due >= (packet?.arrivalNs ?? .max) + 1_000_000 && due < (packet?.arrivalNs ?? 0) + 19_000_000)
            slots.append(packet?.slot ?? -1)
            last = due
        }
        #expect(slots != slots.sorted() && slots.sorted() == Array(0..<500))
        var even = NetemQueue(Impairment(delay: .init(latency: .milliseconds(10))), seed: 4)
        for slot in 0..<50 { enqueue(&even, slot) }
        #expect(drain(&even) == Array(0..<50), "packets of one moment keep their order")
    }

    @Test func everyThirdPacketOvertakes() {
        let reorder = Impairment.Reorder(share: .init(probability: 1), gap: 3)
        var queue = NetemQueue(Impairment(delay: .init(latency: .seconds(1), reorder: reorder)), seed: 4)
        var ahead: [Int] = []
        for slot in 0..<9 {
            enqueue(&queue, slot)
            ahead += drain(&queue, at: 0)
        }
        #expect(ahead == [2, 5, 8])
        #expect(drain(&queue) == [0, 1, 3, 4, 6, 7])
        #expect(queue.reorder.tally.draws == 3 && queue.reorder.tally.hits == 3 && queue.drawn == 6)
    }

    // MARK: Rate and limit

    @Test func atARatePacketsTakeTheirTimeOneAfterTheOther() {
        // 1000 bytes with the Ethernet header at 8 Mbit/s: 1 ms.
        var queue = NetemQueue(Impairment(rateBitsPerSecond: 8_000_000), seed: 1)
        for slot in 0..<3 { enqueue(&queue, slot, at: 500) }
        for number in 1...3 {
            #expect(queue.nextDueNs == 500 + Int64(number) * 1_000_000)
            _ = queue.dequeue(nowNs: .max)
        }
        // A delay runs while the packet waits in line.
        let both = Impairment(delay: .init(latency: .microseconds(1500)), rateBitsPerSecond: 8_000_000)
        var slow = NetemQueue(both, seed: 1)
        for slot in 0..<2 { enqueue(&slow, slot) }
        #expect(slow.nextDueNs == 2_500_000)
        _ = slow.dequeue(nowNs: .max)
        #expect(slow.nextDueNs == 3_500_000)
    }

    @Test func whatFindsTheQueueFullIsDropped() {
        let impairment = Impairment(delay: .init(latency: .seconds(1)), duplicate: .init(probability: 1))
        var queue = NetemQueue(impairment, limit: 4, seed: 1)
        for slot in 0..<3 { enqueue(&queue, slot) }
        #expect(queue.count == 4)
        #expect(queue.overLimit == 2 && store.released.count == 2)
        store.room = 0
        var alone = NetemQueue(impairment, seed: 1)
        enqueue(&alone, 7)
        #expect(drain(&alone) == [7] && alone.overLimit == 1, "no room for the copy")
    }

    // MARK: Loss, duplication, corruption

    @Test func aCopyGoesBeforeItsOriginal() {
        var queue = NetemQueue(Impairment(duplicate: .init(probability: 1)), seed: 1)
        enqueue(&queue, 1)
        #expect(drain(&queue) == [store.next, 1])
        #expect(queue.duplicate.tally.draws == 1, "a copy is not repeated")
    }

    @Test func whatIsRepeatedAndLostGoesOnOnce() {
        let impairment = Impairment(loss: .init(probability: 1), duplicate: .init(probability: 1))
        var queue = NetemQueue(impairment, seed: 1)
        enqueue(&queue, 1)
        #expect(drain(&queue) == [1] && store.released.isEmpty)
        var lossy = NetemQueue(Impairment(loss: .init(probability: 1)), seed: 1)
        enqueue(&lossy, 2)
        #expect(drain(&lossy).isEmpty && store.released == [2])
    }

    @Test func oneBitAnywhereIsTurnedOver() {
        var queue = NetemQueue(Impairment(corrupt: .init(probability: 1)), seed: 9)
        for slot in 0..<2000 { enqueue(&queue, slot, bytes: 20) }
        #expect(store.flips.map(\.slot) == Array(0..<2000))
        #expect(Set(store.flips.map(\.byte)) == Set(0..<20) && Set(store.flips.map(\.bit)) == Set(0..<8))
    }

    @Test(arguments: 0..<20)
    func noPacketIsForgotten(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        func share() -> Impairment.Share? {
            Bool.random(using: &random)
                ? Impairment.Share(
                    probability: .random(in: 0.01...1, using: &random), correlation: .random(in: 0...1, using: &random))
                : nil
        }
        let reorder = share().map { Impairment.Reorder(share: $0, gap: .random(in: 0...4, using: &random)) }
        let delay = Impairment.Delay(latency: .milliseconds(5), jitter: .milliseconds(4), reorder: reorder)
        let impairment = Impairment(
            delay: delay, loss: share(), duplicate: share(), corrupt: share(),
            rateBitsPerSecond: Bool.random(using: &random) ? 4_000_000 : nil)
        var queue = NetemQueue(impairment, limit: 20, seed: seed)
        var now: Int64 = 0
        var (came, gone) = (0, 0)
        for slot in 0..<3000 {
            now += .random(in: 0...600_000, using: &random)
            enqueue(&queue, slot, at: now)
            came += 1
            gone += drain(&queue, at: now).count
        }
        let (repeated, lost) = (Int(queue.duplicate.tally.hits), Int(queue.loss.tally.hits))
        #expect(came + repeated - lost - Int(queue.overLimit) - queue.count == gone)
        let made = store.next - 1_000_000
        #expect(came + made - store.released.count - queue.count == gone, "and every slot is freed once")
    }
}
