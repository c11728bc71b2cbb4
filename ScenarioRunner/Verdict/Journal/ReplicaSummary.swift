import Experiments

/// What the users met of one replica in one part of a run: the requests that it answered.
///
/// A request without an answer belongs to nobody: who would have answered is not known.
public struct ReplicaSummary: Codable, Sendable, Equatable {
    /// `payment-0`.
    public var replica: String
    /// `payment-service`.
    public var service: String
    public var phase: PhaseName
    /// Those that it answered.
    public var requests: Int
    /// 0 to 1, of what it answered.
    public var successRate: Double
    public var p50Ms: Double
    public var p95Ms: Double

    public init(
        replica: String, service: String, phase: PhaseName, requests: Int, successRate: Double, p50Ms: Double,
        p95Ms: Double
    ) {
        self.replica = replica
        self.service = service
        self.phase = phase
        self.requests = requests
        self.successRate = successRate
        self.p50Ms = p50Ms
        self.p95Ms = p95Ms
    }

    /// Of the baseline, the fault and the recovery, by part and by name.
    ///
    /// - Parameter topology: tells the services of the replicas.
    public static func all(
        _ samples: [RequestSample], _ clock: PhaseClock, _ topology: RunTopology
    ) -> [ReplicaSummary] {
        [PhaseName.baseline, .fault, .recovery].flatMap { phase in
            let named = clock.samples(samples, in: phase).filter { $0.replica != nil }
            let groups = Dictionary(grouping: named) { $0.replica ?? "" }
            return groups.sorted { $0.key < $1.key }.map { replica, samples in
                let latencies = ExactPercentiles(samples)
                return ReplicaSummary(
                    replica: replica, service: topology.service(of: replica), phase: phase, requests: samples.count,
                    successRate: RequestCounts(samples).successRate, p50Ms: latencies.ms(at: 50),
                    p95Ms: latencies.ms(at: 95))
            }
        }
    }

    enum CodingKeys: String, CodingKey {
        case replica, service, phase, requests
        case successRate = "success_rate"
        case p50Ms = "p50_ms"
        case p95Ms = "p95_ms"
    }
}

/// A replica that is not like its peers, the other replicas of its service in the same part of the run: see
/// ``ReplicaRules``.
public struct ReplicaFinding: Codable, Sendable, Equatable {
    public enum Metric: String, Codable, Sendable {
        case successRate = "success_rate"
        case p95Ms = "p95_ms"
    }

    public var replica: String
    public var service: String
    public var phase: PhaseName
    public var metric: Metric
    /// Its own value, as ``ReplicaSummary`` has it.
    public var value: Double
    /// That of the best of its peers.
    public var peers: Double
    /// The finding in a sentence.
    public var text: String

    public init(
        replica: String, service: String, phase: PhaseName, metric: Metric, value: Double, peers: Double, text: String
    ) {
        self.replica = replica
        self.service = service
        self.phase = phase
        self.metric = metric
        self.value = value
        self.peers = peers
        self.text = text
    }
}
