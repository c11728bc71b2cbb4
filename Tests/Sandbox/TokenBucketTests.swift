import Experiments
import Testing

@testable import Sandbox

@Suite struct TokenBucketTests {
    private static let millisecond: Int64 = 1_000_000

    /// 8 Mbit/s: 1000 bytes, header included, in a millisecond.
    private func bucket(
        limit: Int = 100_000, buffer: Int = 2000, peak: UInt64? = nil, minburst: Int = 0
    ) -> TokenBucket {
        TokenBucket(
            .init(
                bitsPerSecond: 8_000_000, limitBytes: limit, bufferBytes: buffer, peakBitsPerSecond: peak,
                minburstBytes: minburst), nowNs: 0)
    }

    private func packet(_ slot: Int, length: Int = 1000) -> QueuedPacket {
        QueuedPacket(slot: slot, bytes: length - QueuedPacket.ethernetHeader, arrivalNs: 0)
    }

    /// Whether each packet was taken.
    private func fill(_ bucket: inout TokenBucket, _ packets: [QueuedPacket]) -> [Bool] {
        packets.map { bucket.enqueue($0) }
    }

    private func slot(_ bucket: inout TokenBucket, at nowNs: Int64) -> Int? { bucket.dequeue(nowNs: nowNs)?.slot }

    /// When each packet leaves, if it is taken as soon as it may go.
    private func departures(_ bucket: inout TokenBucket, from start: Int64 = 0) -> [Int64] {
        var (now, times) = (start, [Int64]())
        while let due = bucket.nextDueNs(nowNs: now) {
            now = due
            guard bucket.dequeue(nowNs: now) != nil else { continue }
            times.append(now)
        }
        return times
    }

    @Test func aFullBucketPassesAtOnceAndThenTheRate() {
        var bucket = bucket()
        #expect(fill(&bucket, (0..<5).map { packet($0) }) == [true, true, true, true, true])
        #expect(departures(&bucket) == [0, 0, 1, 2, 3].map { $0 * Self.millisecond })
        // It fills again, but never above its size.
        let later = 100 * Self.millisecond
        #expect(fill(&bucket, (0..<4).map { packet($0) }) == [true, true, true, true])
        #expect(departures(&bucket, from: later) == [0, 0, 1, 2].map { later + $0 * Self.millisecond })
    }

    @Test func aSmallPacketDoesNotPassALargeOne() {
        var bucket = bucket(buffer: 1000)
        #expect(fill(&bucket, [packet(0), packet(1), packet(2, length: 100)]) == [true, true, true])
        let milliseconds = [0, 0.5, 1, 1, 1.1]
        let left = milliseconds.map { slot(&bucket, at: Int64($0 * Double(Self.millisecond))) }
        #expect(left == [0, nil, 1, nil, 2])
    }

    @Test func whatHasNoRoomIsRefused() {
        var bucket = bucket(limit: 2500, buffer: 1200)
        // Longer than the bucket; two that fit; and 3000 bytes, more than may wait.
        #expect(
            fill(&bucket, [packet(0, length: 1201), packet(1), packet(2), packet(3)]) == [false, true, true, false])
        #expect(slot(&bucket, at: 0) == 1)
        #expect(fill(&bucket, [packet(4)]) == [true])
    }

    @Test func aPeakRateSpreadsTheBurst() {
        var bucket = bucket(buffer: 4000, peak: 16_000_000, minburst: 1000)
        #expect(fill(&bucket, (0..<9).map { packet($0) }) == Array(repeating: true, count: 9))
        // Every half millisecond while there are tokens of the rate (4 at first, one more a millisecond), then every
        // millisecond.
        let times = departures(&bucket).map { Double($0) / Double(Self.millisecond) }
        #expect(times == [0, 0.5, 1, 1.5, 2, 2.5, 3, 4, 5])
        #expect(fill(&bucket, [packet(9, length: 1001)]) == [false], "longer than the peak's bucket")
    }

    @Test(arguments: 0..<10)
    func noIntervalHoldsMoreThanRateAndBurst(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var bucket = bucket(limit: 20_000, buffer: 3000)
        var now: Int64 = 0
        var left: [(time: Int64, bytes: Int)] = []
        for slot in 0..<2000 {
            now += .random(in: 0...1_500_000, using: &random)
            while let due = bucket.nextDueNs(nowNs: left.last?.time ?? 0), due <= now {
                guard let packet = bucket.dequeue(nowNs: due) else { break }
                left.append((due, packet.length))
            }
            _ = bucket.enqueue(packet(slot, length: .random(in: 60...1514, using: &random)))
        }
        #expect(left.count > 500)
        // s_i + ... + s_k <= B + R (t_k - t_i), with the largest excess over all i kept up to date.
        var (excess, last) = (0.0, Int64(0))
        for departure in left {
            excess = max(0, excess - Double(departure.time - last) / 1000) + Double(departure.bytes)
            last = departure.time
            #expect(excess <= 3000.01)
        }
    }
}
