/// When the work that the fault left behind was done.
///
/// While a system works some work is always under way. Drained is the first look after the fault that finds no more than
/// the baseline's looks found at most.
enum Backlog {
    /// - Parameters:
    ///   - samples: in the order of time, of the whole run and of the time after its load.
    ///   - baseline: when that was, in seconds from the start of the run.
    ///   - removedAt: when the fault was gone, in the same seconds.
    /// - Returns: milliseconds from the removal; nil when that never was, or when nobody looked before the fault.
    static func drainedMs(_ samples: [BacklogSample], baseline: ClosedRange<Double>, removedAt: Double) -> Int? {
        guard let usual = samples.filter({ baseline.contains($0.t) }).map(\.total).max(),
            let drained = samples.first(where: { $0.t >= removedAt && $0.total <= usual })
        else { return nil }
        return Int(((drained.t - removedAt) * 1000).rounded())
    }
}
