import Experiments
import Shared

/// Counts what becomes of the requests of a load, in place: its size does not depend on how many they are.
struct LoadRecorder {
    private let plan: LoadPlan
    private let startNs: UInt64
    private var all = Tally()
    private var parts: [Tally]
    /// Requests that ended since the last ``progress(nowNs:inFlight:)``, whenever they were due.
    private var recent = Tally()
    private var seconds: SecondTallies
    private var statuses: [Int: Int] = [:]
    private var timedOut = 0
    private var connectionFailed = 0
    private var lastDueNs: UInt64
    private(set) var mostInFlight = 0

    init(_ plan: LoadPlan, startNs: UInt64) {
        self.plan = plan
        self.startNs = startNs
        parts = plan.requests.map { _ in Tally() }
        seconds = SecondTallies(startNs: startNs)
        lastDueNs = startNs
    }

    /// A request that is due at `dueNs` goes its way, or is dropped.
    mutating func begin(dueNs: UInt64, inFlight: Int) {
        seconds.begin(dueNs)
        lastDueNs = max(lastDueNs, dueNs)
        mostInFlight = max(mostInFlight, inFlight)
    }

    mutating func end(_ outcome: LoadOutcome) {
        all.add(outcome)
        parts[outcome.place].add(outcome)
        recent.add(outcome)
        seconds.end(outcome)
        switch outcome.outcome {
        case .status(let status): statuses[status, default: 0] += 1
        case .timedOut: timedOut += 1
        case .connectionFailed: connectionFailed += 1
        case .dropped: break
        }
    }

    /// The seconds that are over and of whose requests none is under way any more, in their order.
    ///
    /// - Parameter all: whether the load is over, and the seconds with it.
    mutating func takeSeconds(nowNs: UInt64, all: Bool = false) -> [LoadSecond] {
        seconds.take(nowNs: nowNs, all: all)
    }

    mutating func progress(nowNs: UInt64, inFlight: Int) -> LoadProgress {
        defer { recent.reset() }
        let counts = recent.counts
        return LoadProgress(
            elapsedS: Double(nowNs - min(nowNs, startNs)) / 1e9, requests: all.counts.requests,
            ok: all.counts.successes, lateSends: all.counts.lateSends, dropped: all.counts.dropped,
            inFlight: inFlight, recentRequests: counts.requests, recentOk: counts.successes,
            recentP50Ms: counts.requests == 0 ? nil : recent.latencies.ms(at: 50),
            recentP95Ms: counts.requests == 0 ? nil : recent.latencies.ms(at: 95),
            recentP99Ms: counts.requests == 0 ? nil : recent.latencies.ms(at: 99))
    }

    // MARK: The summary

    /// - Parameter stoppedNs: when somebody ended the load early; nil when it ran to its end.
    func summary(stoppedNs: UInt64?) -> LoadSummary {
        var summary = LoadSummary()
        summary.durationS = durationS(stoppedNs)
        summary.wasStopped = stoppedNs != nil
        summary.model = plan.modelName
        summary.arrivals = plan.arrivals
        if case .closed(let users, _, _) = plan.model { summary.users = users }
        summary.seed = plan.seed
        let counts = all.counts
        summary.requests = counts.requests
        summary.rateRps = Double(counts.requests) / summary.durationS
        summary.successRate = counts.successRate
        summary.declined = counts.declined
        summary.throughputRps = Double(counts.successes) / summary.durationS
        summary.p50Ms = all.latencies.ms(at: 50)
        summary.p90Ms = all.latencies.ms(at: 90)
        summary.p95Ms = all.latencies.ms(at: 95)
        summary.p99Ms = all.latencies.ms(at: 99)
        summary.p999Ms = all.latencies.ms(at: 99.9)
        summary.maxMs = all.latencies.ms(at: 100)
        summary.lateSends = counts.lateSends
        summary.dropped = counts.dropped
        summary.mostInFlight = mostInFlight
        summary.byStatus = byStatus
        summary.byRequest = zip(plan.requests, parts).map { request, tally in tally.part(named: request.name) }
        return summary
    }

    private func durationS(_ stoppedNs: UInt64?) -> Double {
        let asked = plan.duration.inSeconds
        guard let stoppedNs else { return asked }
        return min(asked, max(0.001, Double(stoppedNs - min(stoppedNs, startNs)) / 1e9))
    }

    private var byStatus: [String: Int] {
        var named = Dictionary(uniqueKeysWithValues: statuses.map { (String($0.key), $0.value) })
        for (name, count) in [
            ("timed_out", timedOut), ("connection_failed", connectionFailed), ("dropped", all.counts.dropped),
        ] where count > 0 {
            named[name] = count
        }
        return named
    }
}

/// Counts and latencies of some requests.
struct Tally {
    var counts = LoadCounts()
    var latencies = LatencyHistogram()

    mutating func add(_ outcome: LoadOutcome) {
        counts.add(outcome)
        latencies.record(outcome.latencyNs)
    }

    mutating func reset() {
        counts = LoadCounts()
        latencies.reset()
    }

    func part(named name: String) -> LoadSummary.Part {
        LoadSummary.Part(
            name: name, requests: counts.requests, successRate: counts.successRate, p50Ms: latencies.ms(at: 50),
            p95Ms: latencies.ms(at: 95), p99Ms: latencies.ms(at: 99), maxMs: latencies.ms(at: 100))
    }
}

/// The seconds of a load, each by the requests that were *due* in it: those that a stall keeps waiting belong to it,
/// and not to the second in which they are answered at last. So a second stays open until all of its requests have
/// ended, which is one timeout at most.
struct SecondTallies {
    private struct Second {
        var tally: Tally
        /// Requests that have begun and not ended.
        var open = 0
    }

    private let startNs: UInt64
    /// The first is second number `taken`.
    private var seconds: [Second] = []
    private var taken = 0
    /// Emptied tallies, to be used again.
    private var spare: [Tally] = []

    init(startNs: UInt64) {
        self.startNs = startNs
    }

    mutating func begin(_ dueNs: UInt64) {
        let index = index(of: dueNs)
        while seconds.count <= index { seconds.append(Second(tally: spare.popLast() ?? Tally())) }
        seconds[index].open += 1
    }

    mutating func end(_ outcome: LoadOutcome) {
        let index = index(of: outcome.dueNs)
        seconds[index].tally.add(outcome)
        seconds[index].open -= 1
    }

    mutating func take(nowNs: UInt64, all: Bool) -> [LoadSecond] {
        let over = all ? seconds.count : index(of: nowNs)
        var done: [LoadSecond] = []
        while done.count < over, done.count < seconds.count, all || seconds[done.count].open == 0 {
            done.append(Self.row(seconds[done.count].tally, t: taken + done.count))
        }
        for var second in seconds.prefix(done.count).map(\.tally) {
            second.reset()
            spare.append(second)
        }
        seconds.removeFirst(done.count)
        taken += done.count
        return done
    }

    /// Among the seconds that are still here.
    private func index(of ns: UInt64) -> Int {
        max(0, Int(ns - min(ns, startNs)) / 1_000_000_000 - taken)
    }

    private static func row(_ tally: Tally, t: Int) -> LoadSecond {
        let (counts, latencies) = (tally.counts, tally.latencies)
        return LoadSecond(
            t: t, requests: counts.requests, ok: counts.successes, declined: counts.declined,
            lateSends: counts.lateSends, dropped: counts.dropped, p50Ms: latencies.ms(at: 50),
            p95Ms: latencies.ms(at: 95), p99Ms: latencies.ms(at: 99), maxMs: latencies.ms(at: 100))
    }
}
