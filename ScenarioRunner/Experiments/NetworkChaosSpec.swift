/// A network fault (Chaos Mesh 2.8: `NetworkChaosSpec`), every field of it.
public struct NetworkChaosSpec: Sendable, Equatable {
    public enum Action: String, Sendable, CaseIterable {
        /// Whatever of delay, loss, duplicate, corrupt and rate is given, together.
        case netem
        case delay, loss, duplicate, corrupt, partition, bandwidth
    }

    /// Which packets are touched, seen from the selected replicas: those `to` the target, those `from` it, or both.
    public enum Direction: String, Sendable, CaseIterable {
        case to, from, both
    }

    public struct Loss: Sendable, Equatable {
        public let loss: Percentage
        /// How far each draw leans on the one before; see ``NetemCorrelation`` for what that does to the loss.
        public let correlation: Percentage
    }

    public struct Delay: Sendable, Equatable {
        public let latency: Duration
        public let jitter: Duration
        public let correlation: Percentage
        public let reorder: Reorder?
    }

    public struct Reorder: Sendable, Equatable {
        public let reorder: Percentage
        public let correlation: Percentage
        /// Every gap-th packet may overtake.
        public let gap: Int
    }

    /// Duplication or corruption: a share of the packets.
    public struct Share: Sendable, Equatable {
        public let share: Percentage
        public let correlation: Percentage
    }

    public struct Bandwidth: Sendable, Equatable {
        /// As written, with its unit: `1mbps` is a megabyte a second, `1mbit` a megabit.
        public let rate: String
        /// Bytes that may wait for tokens.
        public let limit: Int
        /// Bytes of the bucket.
        public let buffer: Int
        public let peakrate: Int?
        public let minburst: Int?
    }

    public let action: Action
    public let direction: Direction
    public let source: ReplicaSelection
    /// Nil: everyone.
    public let target: ReplicaSelection?
    public let loss: Loss?
    public let delay: Delay?
    public let duplicate: Share?
    public let corrupt: Share?
    /// netem's rate, as written.
    public let rate: String?
    public let bandwidth: Bandwidth?
    public let device: String?
    public let targetDevice: String?
    public let externalTargets: [String]
    public let remoteCluster: String?
    public let duration: Duration?
}
