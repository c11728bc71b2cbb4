/// Where the true share lies, given so many hits of so many trials (E. B. Wilson, 1927).
///
/// Unlike the usual "plus or minus", it is right for few trials and for shares near 0 and 1.
public struct WilsonInterval: Sendable, Equatable {
    /// 0 to 1.
    public let low: Double
    public let high: Double

    public enum Confidence: Sendable {
        /// Shown to people.
        case percent95
        /// Decides whether a fault was what was asked: one honest run in 10 000 is called wrong.
        case percent9999

        /// The quantile of the normal distribution, both tails cut.
        var quantile: Double {
            switch self {
            case .percent95: 1.959_963_985
            case .percent9999: 3.890_591_886
            }
        }
    }

    /// - Parameters:
    ///   - hits: at most `trials`.
    ///   - trials: 0 says nothing: the interval is all of 0...1.
    public init(hits: UInt64, of trials: UInt64, _ confidence: Confidence) {
        self.init(hits: hits, of: trials, quantile: confidence.quantile)
    }

    /// The same for any confidence.
    ///
    /// - Parameter quantile: of the normal distribution, both tails cut: 1.96 for 95 %.
    public init(hits: UInt64, of trials: UInt64, quantile z: Double) {
        guard trials > 0 else {
            low = 0
            high = 1
            return
        }
        let n = Double(trials)
        let share = Double(min(hits, trials)) / n
        let centre = share + z * z / (2 * n)
        let spread = z * (share * (1 - share) / n + z * z / (4 * n * n)).squareRoot()
        // The ends of all and none are exact; rounding must not shut them out.
        low = hits == 0 ? 0 : max(0, (centre - spread) / (1 + z * z / n))
        high = hits >= trials ? 1 : min(1, (centre + spread) / (1 + z * z / n))
    }

    public func contains(_ share: Double) -> Bool { share >= low && share <= high }
}
