import Foundation

/// Delays that packets really had, in milliseconds, in the order in which they were sent.
struct DelaySample: Sendable {
    let ms: [Double]
    private let sorted: [Double]

    init(_ ms: [Double]) {
        self.ms = ms
        sorted = ms.sorted()
    }

    func quantile(_ share: Double) -> Double {
        guard !sorted.isEmpty else { return 0 }
        return sorted[min(Int(share * Double(sorted.count)), sorted.count - 1)]
    }

    /// The greatest distance of its distribution function from a uniform one.
    func distance(fromUniform range: ClosedRange<Double>) -> Double {
        let count = Double(sorted.count)
        return sorted.enumerated().reduce(0) { greatest, step in
            let (index, value) = step
            let expected = min(max((value - range.lowerBound) / (range.upperBound - range.lowerBound), 0), 1)
            return max(greatest, abs(expected - Double(index) / count), abs(expected - Double(index + 1) / count))
        }
    }

    /// How far each delay leans on the one before, -1 to 1.
    var lag1: Double {
        guard ms.count > 2 else { return 0 }
        let mean = ms.reduce(0, +) / Double(ms.count)
        let spread = ms.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        let together = zip(ms, ms.dropFirst()).reduce(0) { $0 + ($1.0 - mean) * ($1.1 - mean) }
        return spread > 0 ? together / spread : 0
    }

    var text: String {
        String(format: "%.1f / %.1f / %.1f", quantile(0.05), quantile(0.5), quantile(0.95))
    }
}
