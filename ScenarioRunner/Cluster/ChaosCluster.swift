import Experiments
import Logging
import ServiceLifecycle

/// Everything that a runner needs of one cluster, put together.
///
///     let cluster = ChaosCluster(try .inCluster(environment: environment), calls: calls, logger: logger)
///     services += cluster.services
///     let engine = cluster.engine
public struct ChaosCluster: Sendable {
    public let api: KubernetesAPI
    public let pods: PodDirectory
    public let leases: LeaseBook
    public let engine: ChaosMeshEngine
    public let sweep: LeaseSweep

    /// - Parameter calls: how the services of the namespace call each other.
    public init(_ access: ClusterAccess, calls: [ServiceCall], timing: ClusterTiming = .init(), logger: Logger) {
        api = KubernetesAPI(access, timing: timing, logger: logger)
        pods = PodDirectory(api, logger: logger)
        leases = LeaseBook()
        engine = ChaosMeshEngine(api, pods: pods, leases: leases, calls: calls, logger: logger)
        sweep = LeaseSweep(api, pods: pods, leases: leases, logger: logger)
    }

    /// To run for as long as the cluster is used.
    public var services: [any Service] { [pods, sweep] }
}
