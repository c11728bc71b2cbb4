import Cluster
import Load

extension SystemUnderTest {
    /// The API server tells something about once a minute, if only that nothing has changed.
    private static let longestSilence = Duration.seconds(150)

    /// Payment calls the other two, by their Services.
    static var calls: [ServiceCall] {
        services.dropFirst().map { ServiceCall(caller: services[0].name, service: $0.name, port: $0.port) }
    }

    /// The system in a namespace of a cluster. The users' requests come from where the runner is.
    ///
    /// - Parameter access: tells whether the pods' own addresses can be reached from here: only in the cluster.
    init(pods: PodDirectory, targets: LoadProfile.Targets, access: ClusterAccess, executable: String) {
        self.init(
            replicas: { Self.replicas(pods.snapshot().pods) }, targets: targets, executable: executable,
            namespace: access.namespace, reachesReplicas: access.origin == .pod,
            blindness: {
                guard let time = pods.snapshot().heardFrom else { return "the pods are not known yet" }
                let isSilent = time.duration(to: .now) > Self.longestSilence
                return isSilent ? "the API server is silent: the pods may be others by now" : nil
            })
    }

    /// The system where nobody tells of its replicas.
    init(unseen targets: LoadProfile.Targets, executable: String) {
        self.init(
            replicas: { [] }, targets: targets, executable: executable, reachesReplicas: false,
            blindness: { "there is no cluster: the replicas are not known" })
    }

    /// Pods by service, as their label `app` says. One that has ended is a replica no more.
    static func replicas(_ pods: [PodFacts]) -> [Replica] {
        services.flatMap { service in
            pods.filter { $0.labels["app"] == service.name && !["Succeeded", "Failed"].contains($0.phase) }.map { pod in
                Replica(
                    name: pod.name, tier: service.tier, address: pod.address ?? "", port: service.port,
                    state: pod.isBeingDeleted ? .stopped : pod.isReady ? .up : .restarting,
                    restarts: pod.containers.reduce(0) { $0 + $1.restarts })
            }
        }
    }
}
