/// When a run ends early to spare its users: `success < 10% for 10s`, `p99 > 8s for 5s`, `money wrong`.
///
/// ```
///   list      = condition {"," condition}
///   condition = metric comparison value "for" time | "money wrong"
/// ```
///
/// Metrics and values are those of a ``Hypothesis``.
public enum StopCondition: Sendable, Equatable, CustomStringConvertible {
    /// Held without a break for `hold`, which is more than 0.
    case metric(Metric, Comparison, Threshold, hold: Duration)
    case moneyIsWrong

    public var description: String {
        switch self {
        case .metric(let metric, let comparison, let threshold, let hold):
            "\(metric.rawValue) \(comparison.rawValue) \(threshold) for \(GoDuration.text(hold))"
        case .moneyIsWrong: "money wrong"
        }
    }

    /// - Throws: ``QuantityError`` that names the first condition that is none.
    public static func parseList(_ text: String) throws(QuantityError) -> [StopCondition] {
        var conditions: [StopCondition] = []
        for words in try ExpectationText.clauses(text) {
            let condition = try parse(words)
            guard !conditions.contains(condition) else { throw QuantityError("says '\(condition)' twice") }
            conditions.append(condition)
        }
        return conditions
    }

    private static func parse(_ words: [Substring]) throws(QuantityError) -> StopCondition {
        if let isRight = ExpectationText.money(words) {
            guard !isRight else { throw QuantityError("stops when the money is right: write 'money wrong'") }
            return .moneyIsWrong
        }
        let metric = try ExpectationText.metric(words[0], also: ["money"])
        guard words.count == 5, words[3] == "for" else {
            throw ExpectationText.malformed(words, "success < 10% for 10s")
        }
        guard let hold = try? GoDuration.parse(String(words[4])), hold > .zero else {
            throw QuantityError("has '\(words[4])' where a time such as 10s must stand")
        }
        return .metric(
            metric, try ExpectationText.comparison(words[1]), try Threshold.parse(words[2], metric.unit), hold: hold)
    }
}

/// Watches a run for its stop conditions: told of every window of it in turn, it says when one has come true.
public struct StopWatch: Sendable {
    private let conditions: [StopCondition]
    /// By the condition's place: since when it has held without a break.
    private var since: [Int: Duration] = [:]

    public init(_ conditions: [StopCondition]) {
        self.conditions = conditions
    }

    /// - Parameters:
    ///   - window: the time that was measured, since the start of the run; windows come in their order.
    ///   - part: what was measured in it. A metric that was not measured, as without requests, breaks the time for
    ///     which its condition has held.
    ///   - moneyIsRight: nil when it was not checked.
    /// - Returns: the first condition that is true now; nil when none is.
    public mutating func observe(
        _ window: Range<Duration>, _ part: MeasuredPart, moneyIsRight: Bool? = nil
    ) -> StopCondition? {
        var reached: StopCondition?
        for (index, condition) in conditions.enumerated() {
            switch condition {
            case .moneyIsWrong:
                if moneyIsRight == false { reached = reached ?? condition }
            case .metric(let metric, let comparison, let threshold, let hold):
                guard let value = part.value(of: metric), comparison.holds(value, threshold.value) else {
                    since[index] = nil
                    continue
                }
                let start = since[index] ?? window.lowerBound
                since[index] = start
                if window.upperBound - start >= hold { reached = reached ?? condition }
            }
        }
        return reached
    }
}
