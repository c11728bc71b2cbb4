import Experiments

/// Whether the fault is gone and the system stays bad all the same: held down by its own work, such as retries of retries,
/// and not by the fault any more (N. Bronson and others, "Metastable Failures in Distributed Systems", HotOS 2021).
///
/// ```
///   fault gone |--- first third ---|--- middle third ---|--- last third ---|
///   recovered anywhere: no         |   mostly bad, asked no more than before, and no better than here
/// ```
///
/// * *No* when it recovered (see ``Recovery``), or when most of the last third is good.
/// * *Not said* when the baseline was already bad; when it was watched for less than ``leastSeconds``; when the load of the last third is not the
///   baseline's, for then it is the load that holds it down, or spares it; when the last third is much better than the
///   middle one, for then it is on its way, and a longer watch would tell.
/// * *Yes* otherwise.
enum Metastability {
    /// A third of less is no time to be stable in.
    static let leastSeconds = 15
    /// Requests a second may differ by this share of the baseline's.
    static let loadTolerance = 0.1
    /// Much better: so many more of the users succeed, or p95 is at most this part of what it was.
    static let betterSuccess = 0.2
    static let betterP95 = 0.5

    /// - Parameters:
    ///   - seconds: every whole second from the removal of the fault to the end of the watch.
    ///   - baseline: the one against which they were judged.
    /// - Returns: nil when it cannot be said.
    static func judge(_ seconds: [Recovery.Second], baseline: PhaseSummary) -> Bool? {
        guard baseline.requests > 0, baseline.durationS > 0,
            baseline.successRate >= VerdictRules.leastBaselineSuccessRate
        else { return nil }
        let baselineRps = Double(baseline.requests) / baseline.durationS
        if Recovery.timeMs(seconds) != nil { return false }
        guard seconds.count >= leastSeconds else { return nil }
        let third = seconds.count / 3
        let (middle, last) = (seconds.dropLast(third).suffix(third), seconds.suffix(third))
        let rps = Double(last.reduce(0) { $0 + $1.counts.requests }) / Double(third)
        guard abs(rps - baselineRps) <= loadTolerance * baselineRps else { return nil }
        guard last.count(where: \.isBad) * 2 > third else { return false }
        return isMuchBetter(last, than: middle) ? nil : true
    }

    private static func isMuchBetter(_ last: ArraySlice<Recovery.Second>, than middle: ArraySlice<Recovery.Second>)
        -> Bool
    {
        successRate(last) >= successRate(middle) + betterSuccess
            || typicalP95Ms(last) <= typicalP95Ms(middle) * betterP95
    }

    private static func successRate(_ seconds: ArraySlice<Recovery.Second>) -> Double {
        var counts = RequestCounts()
        for second in seconds { counts.add(second.counts) }
        return counts.successRate
    }

    /// The median: one quick second among slow ones is no way out.
    private static func typicalP95Ms(_ seconds: ArraySlice<Recovery.Second>) -> Double {
        let sorted = seconds.map(\.p95Ms).sorted()
        return sorted.isEmpty ? 0 : sorted[sorted.count / 2]
    }
}
