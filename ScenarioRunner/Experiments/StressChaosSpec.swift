/// A load on the processors or the memory of replicas (Chaos Mesh 2.8: `StressChaosSpec`), every field of it.
public struct StressChaosSpec: Sendable, Equatable {
    public struct CPU: Sendable, Equatable {
        /// Busy workers in each replica, 1 to 8192.
        public let workers: Int
        /// Percent of a core that each worker burns, 0 to 100; 100 when the manifest says nothing.
        public let load: Int
        public let options: [String]

        /// Cores that the workers of one replica ask for.
        public var askedCores: Double { Double(workers * load) / 100 }
    }

    public struct Memory: Sendable, Equatable {
        /// Workers in each replica, 1 to 8192, which share ``size``.
        public let workers: Int
        /// What the workers of one replica hold together; nil means all there is.
        public let size: MemorySize?
        public let options: [String]
        /// -1000 to 1000: how soon the kernel takes the worker, rather than the service, when memory runs out.
        public let oomScoreAdjustment: Int
    }

    public let target: ReplicaSelection
    public let cpu: CPU?
    public let memory: Memory?
    /// stress-ng's own arguments; Chaos Mesh lets them win over the two above.
    public let stressngStressors: String?
    public let containerNames: [String]
    public let remoteCluster: String?
    public let duration: Duration?
}
