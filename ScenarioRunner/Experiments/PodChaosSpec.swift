/// The end of a replica, or of a container in it (Chaos Mesh 2.8: `PodChaosSpec`), every field of it.
public struct PodChaosSpec: Sendable, Equatable {
    public enum Action: String, Sendable, CaseIterable {
        /// The replica is deleted once, and its deployment starts another one.
        case podKill = "pod-kill"
        /// The replica does not work for the duration, and stays where it is.
        case podFailure = "pod-failure"
        /// The main process of each named container is killed once, and the container starts again.
        case containerKill = "container-kill"
    }

    public let action: Action
    public let target: ReplicaSelection
    /// Seconds between SIGTERM and SIGKILL, for pod-kill alone; 0 kills at once.
    public let gracePeriod: Int
    /// At least one for container-kill.
    public let containerNames: [String]
    public let remoteCluster: String?
    /// Only a pod-failure lasts; a kill is over when it is done, whatever stands here.
    public let duration: Duration?

    /// Whether the fault is one event, not a state that lasts.
    public var isOneShot: Bool { action != .podFailure }
}

extension PodChaosSpec {
    /// As Chaos Mesh's webhook, which wants container names for a container-kill and nothing else: its documentation
    /// calls the duration of a pod-failure required, but one without it is taken, and lasts until it is stopped.
    init(_ fields: ManifestFields, namespace: String) throws(Refusal) {
        try fields.allow([
            "action", "containerNames", "duration", "gracePeriod", "mode", "remoteCluster", "selector", "value",
        ])
        action = try fields.require("action", fields.choice("action", of: Action.self))
        target = try ReplicaSelection(fields, namespace: namespace)
        gracePeriod = try fields.integer("gracePeriod", in: 0...Int(Int32.max)) ?? 0
        containerNames = try fields.strings("containerNames")
        remoteCluster = try fields.string("remoteCluster")
        duration = try fields.duration()
        if action == .containerKill, containerNames.isEmpty {
            throw fields.refusal("containerNames", "is required with action container-kill")
        }
    }
}
