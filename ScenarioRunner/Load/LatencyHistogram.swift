import Histogram

/// Latencies to three digits, in microseconds, from 1 us to an hour: 190 KB however many are recorded.
struct LatencyHistogram {
    private static let highestMicroseconds: UInt64 = 3_600_000_000

    private var histogram = Histogram<UInt64>(
        highestTrackableValue: highestMicroseconds, numberOfSignificantValueDigits: .three)

    mutating func record(_ latencyNs: UInt64) {
        histogram.record(min(latencyNs / 1000, Self.highestMicroseconds))
    }

    mutating func reset() { histogram.reset() }

    /// - Parameter percentile: 0 to 100.
    /// - Returns: milliseconds; 0 when nothing was recorded.
    func ms(at percentile: Double) -> Double {
        histogram.totalCount == 0 ? 0 : Double(histogram.valueAtPercentile(percentile)) / 1000
    }
}
