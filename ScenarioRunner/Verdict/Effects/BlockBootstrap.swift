import Experiments
import Foundation

/// How certain a difference between two parts of a run is: the block bootstrap over their seconds (B. Efron, 1979; blocks:
/// H. Künsch, 1989).
///
/// ```
///   baseline: seconds --drawn anew 1000 times--> 1000 times its numbers --.
///   fault:    seconds --drawn anew 1000 times--> 1000 times its numbers --+--> 1000 differences --> interval
/// ```
///
/// From few seconds the plain percentile interval comes out too narrow. It is widened to what Student's distribution
/// with one degree of freedom less than there are seconds would give ("expanded percentile interval", T. Hesterberg,
/// "What Teachers Should Know about the Bootstrap", 2015).
struct BlockBootstrap: Sendable {
    enum Confidence: Sendable {
        /// Shown to people.
        case percent95
        /// Where many comparisons are made at once.
        case percent99

        /// The quantile of the normal distribution, both tails cut.
        var quantile: Double {
            switch self {
            case .percent95: 1.959_963_985
            case .percent99: 2.575_829_304
            }
        }
    }

    static let draws = 1000
    /// Fewer seconds say nothing of how they differ among themselves.
    static let leastSeconds = 5

    /// What one part might as well have been.
    struct Part: Sendable {
        fileprivate let seconds: Int
        fileprivate let numbers: [[Effect.Metric: Double]]
    }

    let seed: UInt64

    /// - Parameter name: keeps the draws of one part apart from those of another.
    /// - Returns: nil for less than ``leastSeconds``.
    func part(_ blocks: SecondBlocks, named name: String) -> Part? {
        guard blocks.count >= Self.leastSeconds else { return nil }
        var generator = SeededGenerator(seed: seed, purpose: "bootstrap \(name)")
        return Part(seconds: blocks.count, numbers: (0..<Self.draws).map { _ in blocks.draw(using: &generator) })
    }

    /// Where the difference `part` less `other` lies.
    static func interval(
        _ part: Part, less other: Part, _ metric: Effect.Metric, _ confidence: Confidence = .percent95
    ) -> ClosedRange<Double> {
        let differences = zip(part.numbers, other.numbers).map { ($0[metric] ?? 0) - ($1[metric] ?? 0) }.sorted()
        let tail = tail(seconds: min(part.seconds, other.seconds), confidence)
        let cut = Int(tail * Double(differences.count))
        return differences[cut]...differences[differences.count - 1 - cut]
    }

    /// How probable it is that the seconds of two parts differ as much as they do where there is no difference: they are
    /// dealt out to the parts anew, as if it made none where they were, and the means of their numbers are compared
    /// (permutation test, R. A. Fisher, 1935). Right also for what is rare, such as a pause that the baseline happened to
    /// have none of, which its own seconds cannot tell.
    func chances(part: SecondBlocks, other: SecondBlocks, named name: String) -> [Effect.Metric: Double] {
        let seconds = part.bySecond + other.bySecond
        var generator = SeededGenerator(seed: seed, purpose: "permutation \(name)")
        let deals = [Array(seconds.indices)] + (1..<Self.draws).map { _ in seconds.indices.shuffled(using: &generator) }
        return Dictionary(
            uniqueKeysWithValues: Effect.Metric.allCases.map { metric in
                let values = seconds.map { $0[metric] ?? 0 }
                let total = values.reduce(0, +)
                // The total stays, so that the sum of one part says as much as the difference of the means.
                let expected = total * Double(part.count) / Double(values.count)
                let distances = deals.map { deal in
                    abs(deal.prefix(part.count).reduce(0) { $0 + values[$1] } - expected)
                }
                // Sums that differ only by the order of their terms are equal.
                let least = distances[0] - 1e-9 * max(1, abs(total))
                return (metric, Double(distances.count { $0 >= least }) / Double(distances.count))
            })
    }

    /// The share that is cut off at each end.
    static func tail(seconds: Int, _ confidence: Confidence) -> Double {
        let n = Double(seconds)
        let widened = (n / (n - 1)).squareRoot() * student(confidence.quantile, freedom: n - 1)
        return erfc(widened / 2.0.squareRoot()) / 2
    }

    /// The quantile of Student's distribution that belongs to the normal one's `z` (Abramowitz and Stegun, 26.7.5); within
    /// 2 % from 4 degrees of freedom up.
    static func student(_ z: Double, freedom n: Double) -> Double {
        let (z3, z5, z7) = (pow(z, 3), pow(z, 5), pow(z, 7))
        let first = (z3 + z) / 4
        let second = (5 * z5 + 16 * z3 + 3 * z) / 96
        let third = (3 * z7 + 19 * z5 + 17 * z3 - 15 * z) / 384
        return z + first / n + second / (n * n) + third / (n * n * n)
    }
}
