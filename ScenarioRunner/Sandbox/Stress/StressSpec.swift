/// A load on the processors, the memory or the disk of replicas. A manifest that asks for several is several faults.
public enum StressSpec: Sendable, Equatable {
    /// `workers` busy processes a replica, each of which burns `loadPercent` (0 to 100) of a core.
    case cpu(workers: Int, loadPercent: Int)
    /// `workers` processes a replica, which hold `bytes` together.
    /// `oomScoreAdjustment` (-1000 to 1000) says how soon the kernel takes a worker, rather than the replica, when
    /// the group's memory runs out; 0 leaves it as the kernel would choose.
    case memory(workers: Int, bytes: UInt64, oomScoreAdjustment: Int = 1000)
    /// `workers` processes a replica, each of which writes its share of `bytes` to a file of its own in `folder`, again
    /// and again, and waits for the disk after every block.
    case disk(workers: Int, bytes: UInt64, folder: String)

    /// Workers in each replica.
    public var workers: Int {
        switch self {
        case .cpu(let workers, _), .memory(let workers, _, _), .disk(let workers, _, _): workers
        }
    }

    /// Cores that the workers of one replica ask for; 0 for memory and disk.
    public var askedCores: Double {
        switch self {
        case .cpu(let workers, let loadPercent): Double(workers * loadPercent) / 100
        case .memory, .disk: 0
        }
    }

    /// The share of worker number `index`; 0 for a processor's load. Bytes that do not divide evenly go to the
    /// first workers, one each, so that the sum is exact.
    func bytes(ofWorker index: Int) -> UInt64 {
        switch self {
        case .cpu: return 0
        case .memory(let workers, let bytes, _), .disk(let workers, let bytes, _):
            let (share, rest) = bytes.quotientAndRemainder(dividingBy: UInt64(workers))
            return share + (UInt64(index) < rest ? 1 : 0)
        }
    }

    /// The arguments of worker number `index` of a replica, for `scenario-runner stress-worker`.
    ///
    /// - Parameter place: its number among the workers of all replicas.
    func arguments(ofWorker index: Int, place: Int = 0, lifetime: Duration) -> [String] {
        let limit = ["--duration-seconds", String(lifetime.components.seconds)]
        switch self {
        case .cpu(_, let loadPercent):
            return ["cpu", "--load", String(loadPercent)] + limit
        case .memory(_, _, let adjustment):
            let bytes = String(bytes(ofWorker: index))
            // In one word: a negative number would pass for an option.
            return ["memory", "--bytes", bytes, "--oom-score-adj=\(adjustment)"] + limit
        case .disk(_, _, let folder):
            // A worker without a byte would have nothing to write.
            let bytes = String(max(1, bytes(ofWorker: index)))
            return ["disk", "--folder", folder, "--bytes", bytes, "--worker", String(place)] + limit
        }
    }

    /// Cores that the workers can really burn, at best.
    ///
    /// ```
    ///   each target:      the cores asked, at most its group's limit
    ///   each processor:   at most 1 for all that is pinned there
    ///   all together:     at most the machine's processors
    /// ```
    ///
    /// What the replicas themselves need is not taken off, so it is an upper bound.
    static func attainableCores(askedPerTarget: Double, placements: [Placement], processors: Int) -> Double {
        var total = 0.0
        var pinned: [Int: Double] = [:]
        for placement in placements {
            switch placement {
            case .group(let group): total += min(askedPerTarget, group.limits?.cores ?? askedPerTarget)
            case .processor(let pinning): pinned[pinning.processor, default: 0] += askedPerTarget
            }
        }
        for asked in pinned.values { total += min(asked, 1) }
        return min(total, Double(processors))
    }
}
