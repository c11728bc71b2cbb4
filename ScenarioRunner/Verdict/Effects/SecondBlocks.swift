import Experiments
import Foundation

/// Latencies in classes whose bounds grow by 1 %: only those that occur, each told by the mean of what is in it, so that
/// latencies that are all alike stay exactly what they are.
struct LatencyClasses: Sendable {
    private static let leastNs = 1000.0
    private static let logOfGrowth = log(1.01)
    /// Of an hour, the longest latency that is told apart.
    private static let highest = number(of: 3_600_000_000_000)

    /// By class number, its place among those that occur.
    private var places = [Int32](repeating: -1, count: Self.highest + 1)
    /// By place, in ascending order.
    private(set) var valuesMs: [Double] = []

    init(_ samples: some Sequence<RequestSample>) {
        var counts = [Int](repeating: 0, count: places.count)
        var sums = [Double](repeating: 0, count: places.count)
        for sample in samples {
            let number = min(Self.number(of: sample.latencyNs), Self.highest)
            counts[number] += 1
            sums[number] += Double(sample.latencyNs)
        }
        for (number, count) in counts.enumerated() where count > 0 {
            places[number] = Int32(valuesMs.count)
            valuesMs.append(sums[number] / Double(count) / 1e6)
        }
    }

    var count: Int { valuesMs.count }

    /// - Parameter latencyNs: one of those that the classes were made of.
    func place(of latencyNs: UInt64) -> Int { Int(places[min(Self.number(of: latencyNs), Self.highest)]) }

    private static func number(of latencyNs: UInt64) -> Int {
        Int(log(max(1, Double(latencyNs) / leastNs)) / logOfGrowth)
    }
}

/// A part of a run as whole seconds, each a block of what was due in it.
///
/// Requests of one second meet the same stall, the same full queue, the same garbage: they are not independent, but
/// seconds nearly are. Whoever asks what might as well have been measured draws seconds, not requests, and so needs of
/// each second only its counts and its latencies as a histogram: the cost does not grow with the rate.
struct SecondBlocks: Sendable {
    /// Whole seconds; one that the end of the part cuts short is left out.
    let count: Int
    private var requests: [Int]
    private var successes: [Int]
    private let classes: LatencyClasses
    /// At `place * count + second`: the second's requests in this class of latency and all quicker ones.
    private var cumulative: [Int32]

    /// - Parameters:
    ///   - samples: of this part and, perhaps, others.
    ///   - window: when it was, on the load's clock.
    init(_ samples: some Sequence<RequestSample>, in window: Range<UInt64>, _ classes: LatencyClasses) {
        let count = Int((window.upperBound - window.lowerBound) / 1_000_000_000)
        self.count = count
        self.classes = classes
        requests = [Int](repeating: 0, count: count)
        successes = requests
        cumulative = [Int32](repeating: 0, count: count * classes.count)
        for sample in samples where window.contains(sample.intendedNs) {
            let second = Int((sample.intendedNs - window.lowerBound) / 1_000_000_000)
            guard second < count else { continue }
            requests[second] += 1
            if sample.isSuccess { successes[second] += 1 }
            cumulative[classes.place(of: sample.latencyNs) * count + second] += 1
        }
        for place in 1..<max(1, classes.count) {
            for second in 0..<count { cumulative[place * count + second] += cumulative[(place - 1) * count + second] }
        }
    }

    /// The numbers of each second.
    var bySecond: [[Effect.Metric: Double]] {
        (0..<count).map { second in
            var alone = [Int](repeating: 0, count: count)
            alone[second] = 1
            return numbers(alone)
        }
    }

    /// The numbers of as many seconds, drawn with replacement.
    func draw(using generator: inout some RandomNumberGenerator) -> [Effect.Metric: Double] {
        var weights = [Int](repeating: 0, count: count)
        for _ in 0..<count { weights[Int.random(in: 0..<count, using: &generator)] += 1 }
        return numbers(weights)
    }

    /// - Parameter weights: how often each second counts.
    private func numbers(_ weights: [Int]) -> [Effect.Metric: Double] {
        var (sent, succeeded) = (0, 0)
        for second in 0..<count {
            sent += weights[second] * requests[second]
            succeeded += weights[second] * successes[second]
        }
        return [
            .successRate: sent == 0 ? 1 : Double(succeeded) / Double(sent),
            .throughputRps: Double(succeeded) / Double(max(1, weights.reduce(0, +))),
            .p50Ms: percentile(0.50, of: sent, weights), .p95Ms: percentile(0.95, of: sent, weights),
            .p99Ms: percentile(0.99, of: sent, weights),
        ]
    }

    /// By nearest rank, found by halving: a few sums over the seconds instead of one over all requests.
    private func percentile(_ share: Double, of total: Int, _ weights: [Int]) -> Double {
        guard total > 0 else { return 0 }
        let rank = max(1, Int((share * Double(total)).rounded(.up)))
        var (low, high) = (0, classes.count - 1)
        while low < high {
            let middle = (low + high) / 2
            var below = 0
            for second in 0..<count { below += weights[second] * Int(cumulative[middle * count + second]) }
            if below >= rank { high = middle } else { low = middle + 1 }
        }
        return classes.valuesMs[low]
    }
}
