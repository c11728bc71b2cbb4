import Load
import Shared

/// What the users of the runner's own loads feel now: those of runs, of a load without a fault, and of Locust.
///
/// The numbers are those that the events of the same second tell, so that a picture and the charts beside it agree.
struct UserMeter: Sendable {
    private struct Part {
        let rateRps: Double
        let successRate: Double?
        let p95Ms: Double?
    }

    /// Of a load whose last word is older nothing is known.
    static let freshness = 3.0

    /// The last two seconds of a Locust, whose counts go from its start.
    private var locust: (id: String, last: LocustSecond, before: LocustSecond?)?

    mutating func hear(_ run: LocustRun?) {
        guard let run, let second = run.live else { return locust = nil }
        guard let known = locust, known.id == run.id else { return locust = (run.id, second, nil) }
        if known.last.time != second.time { locust = (run.id, second, known.last) }
    }

    /// - Parameters:
    ///   - runs: those that have not ended.
    ///   - load: the running or the last one.
    /// - Returns: nil when no load tells anything. With several at once the highest of their p95 is that of all.
    func numbers(runs: [RunView], load: LoadView?, now: UnixTime) -> PathNumbers? {
        let parts = runs.compactMap { part($0, now) } + [part(load, now), locustPart(now)].compactMap(\.self)
        guard !parts.isEmpty else { return nil }
        let rate = parts.reduce(0) { $0 + $1.rateRps }
        let busy = parts.filter { $0.rateRps > 0 }
        let isSuccessKnown = !busy.isEmpty && busy.allSatisfy { $0.successRate != nil }
        return PathNumbers(
            rateRps: rate,
            successRate: isSuccessKnown ? busy.reduce(0) { $0 + $1.rateRps * ($1.successRate ?? 0) } / rate : nil,
            p95Ms: busy.compactMap(\.p95Ms).max(), seenBy: .caller)
    }

    private func isFresh(_ seconds: Double, _ now: UnixTime) -> Bool { now.seconds - seconds < Self.freshness }

    private func part(_ run: RunView, _ now: UnixTime) -> Part? {
        guard let second = run.live, isFresh(second.time, now) else { return nil }
        return Part(rateRps: Double(second.requests), successRate: second.successRate, p95Ms: second.p95Ms)
    }

    private func part(_ load: LoadView?, _ now: UnixTime) -> Part? {
        guard let load, load.isUnderWay, let progress = load.progress,
            isFresh(load.startedAt + progress.elapsedS, now)
        else { return nil }
        let requests = Double(progress.recentRequests)
        return Part(
            rateRps: requests, successRate: requests > 0 ? Double(progress.recentOk) / requests : nil,
            p95Ms: progress.recentP95Ms)
    }

    private func locustPart(_ now: UnixTime) -> Part? {
        guard let (_, last, before) = locust, isFresh(last.time, now) else { return nil }
        let requests = last.requests - (before?.requests ?? last.requests)
        let failures = last.failures - (before?.failures ?? last.failures)
        return Part(
            rateRps: last.throughputRps, successRate: requests > 0 ? 1 - Double(failures) / Double(requests) : nil,
            p95Ms: last.p95Ms)
    }
}
