/// How long to wait before what has failed is tried again.
struct Retry: Sendable {
    private let first: Duration
    private let longest: Duration
    private var failures = 0

    /// - Parameter longest: nil for that of `timing`.
    init(_ timing: ClusterTiming, longest: Duration? = nil) {
        first = timing.firstRetry
        self.longest = min(longest ?? timing.longestRetry, timing.longestRetry)
    }

    /// After one more failure.
    mutating func next() -> Duration {
        let pause = first * (1 << min(failures, 20))
        failures += 1
        return min(pause, longest)
    }

    mutating func succeeded() { failures = 0 }
}
