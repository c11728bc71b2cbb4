import Hummingbird
import Shared

/// `GET /api/topology`: the services and the state of each replica, how the paths between them do, and which faults act.
struct TopologyController: Sendable {
    let watch: TopologyWatch

    var routes: [Route] { [.get("/api/topology") { _, _ in try .json(watch.asked()) }] }
}
