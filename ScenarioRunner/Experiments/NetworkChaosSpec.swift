/// A network fault (Chaos Mesh 2.8: `NetworkChaosSpec`), every field of it.
public struct NetworkChaosSpec: Sendable, Equatable {
    public enum Action: String, Sendable, CaseIterable {
        /// Whatever of delay, loss, duplicate, corrupt and rate is given, together.
        case netem
        case delay, loss, duplicate, corrupt, partition, bandwidth
    }

    /// Which packets are touched, seen from the selected replicas: those `to` the target, those `from` it, or both.
    public enum Direction: String, Codable, Sendable, CaseIterable {
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
        /// Every gap-th packet may overtake; 0 means what 1 means, each of them.
        public let gap: Int
    }

    /// Duplication or corruption: a share of the packets.
    public struct Share: Sendable, Equatable {
        public let share: Percentage
        public let correlation: Percentage
    }

    public struct Bandwidth: Sendable, Equatable {
        public let rate: DataRate
        /// Bytes that may wait for tokens.
        public let limit: Int
        /// Bytes of the bucket.
        public let buffer: Int
        /// Bytes a second at which a full bucket may empty; nil or 0 for no such limit.
        public let peakrate: Int?
        /// Bytes of the bucket of ``peakrate``.
        public let minburst: Int?
    }

    public let action: Action
    public let direction: Direction
    public let source: ReplicaSelection
    /// Together with ``externalTargets`` the other end; neither means everyone.
    public let target: ReplicaSelection?
    public let loss: Loss?
    public let delay: Delay?
    public let duplicate: Share?
    public let corrupt: Share?
    /// netem's rate: each packet is held back for the time that its bytes take.
    public let rate: DataRate?
    public let bandwidth: Bandwidth?
    /// The network interface in the source's pod, and in the target's.
    public let device: String?
    public let targetDevice: String?
    public let externalTargets: [ExternalTarget]
    public let remoteCluster: String?
    public let duration: Duration?

    /// External targets that are more than another name of the target: not the Service of `app: inventory-service`
    /// beside all pods of that label. Chaos Mesh needs that name; whoever looks at the pods themselves has them already.
    public var otherExternalTargets: [ExternalTarget] {
        guard let target, target.mode == .all, let app = target.selector.labels["app"] else { return externalTargets }
        var all = Selector()
        (all.namespaces, all.labels) = (target.selector.namespaces, ["app": app])
        return target.selector == all
            ? externalTargets.filter { !$0.isService(app, of: all.namespaces) } : externalTargets
    }

    /// Whether the fault is made of delay, loss, duplicate, corrupt and rate. Chaos Mesh applies all of them that are
    /// given, whichever of the five actions is named (`trafficcontrol/impl.go`, `ApplyTc`).
    public var isShaping: Bool { action != .partition && action != .bandwidth }
}
