import Experiments

/// The lab's network and processes as a value: one router, one `client` host, and a host a replica.
///
/// ```
///                      .-- client        10.77.0.2   front door, load generator
///   router 10.77.0.1 --+-- payment-0..2  10.77.1.1+  behind 10.77.100.1:5002 (payment-service)
///   runner (8000)      +-- inventory-0..1 10.77.2.1+ behind 10.77.100.2:5003 (inventory-service)
///                      '-- notification-0..1 10.77.3.1+ behind 10.77.100.3:5004 (notification-service)
/// ```
public struct LabTopology: Sendable, Equatable {
    /// One service: a name, a virtual address, and its replicas.
    public struct Service: Sendable, Equatable {
        /// `payment`, `inventory`, `notification`: the tier, and the prefix of the replicas' names.
        public let tier: String
        public let port: Int
        /// The address that the router spreads over the replicas, as kube-proxy does with a ClusterIP.
        public let virtualAddress: String
        public let replicas: [Replica]

        /// The name that clients look up, and the value of the label `app`: `payment-service`.
        public var name: String { "\(tier)-service" }
        /// As it is looked up: the short name, and the longer ones of a cluster, so that a manifest's are known here too.
        public var names: [String] {
            ["", ".\(namespace)", ".\(namespace).svc", ".\(namespace).svc.cluster.local"].map { name + $0 }
        }
    }

    /// One replica: a real process on a host of its own.
    public struct Replica: Sendable, Equatable {
        public let tier: String
        public let index: Int
        public let address: String
        public let port: Int

        /// `payment-0`: the replica's name, its host's name, and its network namespace's.
        public var name: String { "\(tier)-\(index)" }
        /// Labels as the Kubernetes manifests set them, so that the same selectors match.
        public var labels: [String: String] { ["app": "\(tier)-service", "tier": tier] }
    }

    public let services: [Service]

    /// The Kubernetes namespace that manifests name.
    public static let namespace = "payment-chaos"
    public static let routerAddress = "10.77.0.1"
    public static let clientAddress = "10.77.0.2"
    public static let clientHost = "client"
    /// The router, by name.
    public static let runnerName = "scenario-runner"
    public static let virtualNetwork = "10.77.100.0/24"
    /// Where the scenario runner listens on the router.
    public static let runnerPort = 8000

    /// - Parameters: the number of replicas of each service, 1 to 9 each. The defaults are the deployment's.
    public init(payment: Int = 3, inventory: Int = 2, notification: Int = 2) {
        services = [("payment", 5002, payment), ("inventory", 5003, inventory), ("notification", 5004, notification)]
            .enumerated().map { offset, service in
                let (tier, port, count) = service
                let network = offset + 1
                return Service(
                    tier: tier, port: port, virtualAddress: "10.77.100.\(network)",
                    replicas: (0..<count).map {
                        Replica(tier: tier, index: $0, address: "10.77.\(network).\($0 + 1)", port: port)
                    })
            }
    }

    private init(services: [Service]) { self.services = services }

    /// The same services as plain processes on loopback, one port a replica.
    ///
    /// - Parameter ports: seven free ports, for the replicas in order.
    public static func loopback(ports: [Int]) -> LabTopology {
        var free = ports.makeIterator()
        return LabTopology(
            services: LabTopology().services.map { service in
                Service(
                    tier: service.tier, port: service.port, virtualAddress: "127.0.0.1",
                    replicas: service.replicas.map {
                        Replica(tier: $0.tier, index: $0.index, address: "127.0.0.1", port: free.next() ?? $0.port)
                    })
            })
    }

    public var replicas: [Replica] { services.flatMap(\.replicas) }
}
