/// How much processor time a process may still use: a bucket that fills at the rate of its limit.
///
/// ```
///   wall time x cores --> [ credit, at most 100 ms worth ] --> time used
///                          <= 0: stop       >= half: continue
/// ```
///
/// It stands in for the kernel's own quota (100 ms periods, as the bucket's size) where control groups cannot be
/// written. What a process takes too much between two looks stays as a debt, so the long-term rate is exact.
struct ProcessorQuota: Sendable {
    /// The kernel's default period, which Kubernetes uses too.
    static let period = Duration.milliseconds(100)

    private let cores: Double
    private let capacity: Duration
    private var credit: Duration
    private var last: (now: ContinuousClock.Instant, used: Duration)
    /// Whether the process is to run until the next look.
    private(set) var mayRun = true

    /// - Parameter used: the processor time that the process has used in its life.
    init(cores: Double, now: ContinuousClock.Instant, used: Duration) {
        self.cores = cores
        capacity = Self.period * cores
        credit = capacity
        last = (now, used)
    }

    /// Takes a look at the process; afterwards ``mayRun`` says what it may do.
    mutating func observe(now: ContinuousClock.Instant, used: Duration) {
        credit = min(capacity, credit + (now - last.now) * cores) - (used - last.used)
        last = (now, used)
        if credit <= .zero { mayRun = false }
        if credit >= capacity / 2 { mayRun = true }
    }
}
