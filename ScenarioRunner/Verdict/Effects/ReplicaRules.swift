import Experiments
import Foundation

/// Which replica is not like the others.
///
/// In each part of a run every replica is compared with the best of its service. It deviates where it would not count as
/// well again if that one were the baseline (see ``Recovery``): success lower by more than a point, or a p95 above the
/// larger of twice the best's and the best's plus 50 ms; and where the 99 % interval of the difference (see
/// ``BlockBootstrap``) does not hold 0, for many comparisons are made. A replica with less than ``leastRequests`` answers
/// is not judged.
struct ReplicaRules: Sendable {
    static let leastRequests = 50

    let samples: [RequestSample]
    let clock: PhaseClock
    let seed: UInt64

    func findings(_ replicas: [ReplicaSummary]) -> [ReplicaFinding] {
        let judged = replicas.filter { $0.requests >= Self.leastRequests }
        let groups = Dictionary(grouping: judged) { "\($0.phase.rawValue) \($0.service)" }
        return groups.sorted { $0.key < $1.key }.flatMap { _, peers in findings(among: peers) }
    }

    /// - Parameter peers: of one service in one part.
    private func findings(among peers: [ReplicaSummary]) -> [ReplicaFinding] {
        guard peers.count > 1, let most = peers.max(by: { $0.successRate < $1.successRate }),
            let quickest = peers.min(by: { $0.p95Ms < $1.p95Ms })
        else { return [] }
        return peers.flatMap { replica in
            var findings: [ReplicaFinding] = []
            if !Recovery.isGood(successRate: replica.successRate, against: most.successRate),
                isCertain(replica, most, .successRate)
            {
                findings.append(finding(replica, .successRate, most))
            }
            if !Recovery.isGood(p95Ms: replica.p95Ms, against: quickest.p95Ms), isCertain(replica, quickest, .p95Ms) {
                findings.append(finding(replica, .p95Ms, quickest))
            }
            return findings
        }
    }

    private func isCertain(_ replica: ReplicaSummary, _ best: ReplicaSummary, _ metric: Effect.Metric) -> Bool {
        guard let window = clock.windows[replica.phase] else { return false }
        let both = clock.samples(samples, in: replica.phase).filter {
            $0.replica == replica.replica || $0.replica == best.replica
        }
        let classes = LatencyClasses(both)
        let bootstrap = BlockBootstrap(seed: seed)
        func part(_ name: String) -> BlockBootstrap.Part? {
            let own = both.filter { $0.replica == name }
            return bootstrap.part(SecondBlocks(own, in: window, classes), named: "\(replica.phase.rawValue) \(name)")
        }
        guard let own = part(replica.replica), let other = part(best.replica) else { return false }
        let interval = BlockBootstrap.interval(own, less: other, metric, .percent99)
        return interval.lowerBound > 0 || interval.upperBound < 0
    }

    private func finding(
        _ replica: ReplicaSummary, _ metric: ReplicaFinding.Metric, _ best: ReplicaSummary
    ) -> ReplicaFinding {
        let (value, peers, text): (Double, Double, String) =
            switch metric {
            case .successRate:
                (
                    replica.successRate, best.successRate,
                    "succeeded for \(ReportTable.percent(replica.successRate)) of those it answered, \(best.replica) for "
                        + ReportTable.percent(best.successRate)
                )
            case .p95Ms:
                (
                    replica.p95Ms, best.p95Ms,
                    "had a p95 of \(ReportTable.duration(replica.p95Ms)), \(best.replica) one of "
                        + ReportTable.duration(best.p95Ms)
                )
            }
        return ReplicaFinding(
            replica: replica.replica, service: replica.service, phase: replica.phase, metric: metric, value: value,
            peers: peers, text: "\(replica.replica) \(text)")
    }
}
