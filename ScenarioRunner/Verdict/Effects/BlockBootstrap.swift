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
