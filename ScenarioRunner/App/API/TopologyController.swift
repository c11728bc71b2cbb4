import Hummingbird
import Sandbox
import Shared

/// `GET /api/topology`: the services and the state of each replica.
struct TopologyController: Sendable {
    let topology: LabTopology
    let statuses: @Sendable () -> [ReplicaStatus]

    var routes: [Route] { [.get("/api/topology") { _, _ in try .json(document) }] }

    private var document: Document {
        let byName = Dictionary(statuses().map { ($0.name, $0) }) { first, _ in first }
        return Document(
            services: topology.services.map { service in
                .init(
                    name: service.name, port: service.port,
                    replicas: service.replicas.map { replica in
                        let status = byName[replica.name]
                        return .init(
                            name: replica.name, address: replica.address, port: replica.port,
                            state: status?.state ?? .stopped, restarts: status?.restarts ?? 0)
                    })
            })
    }

    private struct Document: Encodable {
        struct Service: Encodable {
            let name: String
            let port: Int
            let replicas: [Replica]
        }
        struct Replica: Encodable {
            let name: String
            let address: String
            /// The service's own; without namespaces one that was free.
            let port: Int
            let state: ReplicaState
            let restarts: Int
        }
        let services: [Service]
    }
}
