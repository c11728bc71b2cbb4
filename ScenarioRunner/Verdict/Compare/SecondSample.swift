import Foundation

/// One number a second of one part of a run, such as its p95.
///
/// Seconds that follow each other are alike: a slow one is rarely alone. So n seconds say as much as fewer independent
/// ones, namely n (1 - r) / (1 + r) with r their correlation with the next one.
struct SecondSample: Sendable, Equatable {
    let values: [Double]
    let mean: Double
    /// Of one value.
    let variance: Double
    /// How many independent seconds they are worth, at least 2.
    let worth: Double
    /// How many seconds in a row are kept together when they are drawn again.
    let blockLength: Int

    /// - Parameter correlation: of one second with the next, 0 to ``mostCorrelation``.
    init(_ values: [Double], correlation: Double) {
        let count = Double(values.count)
        let mean = values.isEmpty ? 0 : values.reduce(0, +) / count
        let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        self.values = values
        self.mean = mean
        variance = count > 1 ? squares / (count - 1) : 0
        worth = max(2, count * (1 - correlation) / (1 + correlation))
        blockLength = max(1, min(Int(((1 + correlation) / (1 - correlation)).rounded(.up)), values.count / 3))
    }

    static let mostCorrelation = 0.9

    /// The correlation of a second with the next one, from several parts of several runs together: one part alone has
    /// too few seconds to say it. What is measured is too low on average by (1 + 4 r) / n (Kendall 1954), which is added.
    static func correlation(in parts: [[Double]]) -> Double {
        var (sum, weight, varied) = (0.0, 0.0, 0.0)
        for values in parts where values.count > 1 {
            let count = Double(values.count)
            let mean = values.reduce(0, +) / count
            let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
            guard squares > 0 else { continue }
            let products = zip(values, values.dropFirst()).reduce(0) { $0 + ($1.0 - mean) * ($1.1 - mean) }
            sum += count * products / squares
            weight += count
            varied += 1
        }
        guard weight > 0 else { return 0 }
        let measured = sum / weight
        return min(max(measured + (1 + 4 * measured) / (weight / varied), 0), mostCorrelation)
    }

    /// The probability that two samples of one and the same system differ at least as much (Welch 1947).
    static func chance(_ a: SecondSample, _ b: SecondSample) -> Double {
        let (partA, partB) = (a.variance / a.worth, b.variance / b.worth)
        let spread = partA + partB
        guard spread > 0 else { return a.mean == b.mean ? 1 : 0 }
        let freedom = spread * spread / (partA * partA / (a.worth - 1) + partB * partB / (b.worth - 1))
        return StudentDistribution.twoSided((b.mean - a.mean) / spread.squareRoot(), freedom: freedom)
    }

    /// The places of as many seconds as there are, drawn again block by block (moving blocks, Kuensch 1989).
    func resample(_ generator: inout some RandomNumberGenerator) -> [Int] {
        var places: [Int] = []
        places.reserveCapacity(values.count + blockLength)
        while places.count < values.count {
            let start = Int.random(in: 0...(values.count - blockLength), using: &generator)
            places.append(contentsOf: start..<(start + blockLength))
        }
        return Array(places.prefix(values.count))
    }
}
