/// When a call has taken so long that a second one beside it is worth its price: at the 95th percentile of what calls
/// took lately.
///
/// A tail is often the fault of one replica or one lost packet, and a second call takes another way. Sent only to the
/// slowest twentieth, it costs 5 % more calls (Dean and Barroso, "The Tail at Scale", CACM 2013). It is for idempotent
/// calls alone, takes from the ``RetryBudget`` like a retry, and whichever call loses is cancelled.
public struct HedgeDelay: Sendable {
    public static let percentile = 0.95
    /// The latest calls that count.
    static let window = 128
    /// With fewer, nobody knows what slow is, and nothing is hedged.
    static let minCalls = 20
    /// A second call within the noise of a scheduler helps nobody.
    public static let shortest = Duration.milliseconds(10)

    private var latencies: [Duration] = []
    private var next = 0

    public init() {}

    /// - Parameter latency: of a call that was answered; a call that failed says nothing about how long answers take.
    public mutating func answered(after latency: Duration) {
        if latencies.count < Self.window {
            latencies.append(latency)
        } else {
            latencies[next] = latency
            next = (next + 1) % Self.window
        }
    }

    /// Nil while too little is known.
    public var current: Duration? {
        guard latencies.count >= Self.minCalls else { return nil }
        let index = Int((Double(latencies.count) * Self.percentile).rounded(.up)) - 1
        return max(Self.shortest, latencies.sorted()[index])
    }
}
