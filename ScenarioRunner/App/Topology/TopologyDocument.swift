import Experiments
import Shared

/// The whole picture of the system at one moment: `GET /api/topology`, and the event `topology`.
struct TopologyDocument: Encodable, Sendable, Equatable {
    /// Where all this is.
    struct Site: Encodable, Sendable, Equatable {
        /// `lab`, `plain` or `chaos-mesh`.
        let engine: String
        /// Of a cluster.
        let namespace: String?
        /// False where the replicas' own addresses cannot be reached: what only they could tell is not known.
        let reachesReplicas: Bool
        /// Why the states of the replicas may be out of date.
        let complaint: String?

        enum CodingKeys: String, CodingKey {
            case engine, namespace, complaint
            case reachesReplicas = "reaches_replicas"
        }
    }

    struct Service: Encodable, Sendable, Equatable {
        let name: String
        let port: Int
        let replicas: [Replica]
    }

    struct Replica: Encodable, Sendable, Equatable {
        enum State: String, Encodable, Sendable {
            case up, stressed, restarting, killed, down, stopped
        }

        let name: String
        let address: String
        /// The service's own; without namespaces one that was free.
        let port: Int
        let state: State
        let restarts: Int
    }

    /// From one tier to another; `client` are the users.
    struct Path: Encodable, Sendable, Equatable {
        let from: String
        let to: String
        let numbers: PathNumbers
        /// The same replica by replica, while a fault acts there.
        var replicas: [Path]?

        enum CodingKeys: String, CodingKey { case from, to, replicas }

        /// The numbers stand beside the names.
        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(from, forKey: .from)
            try container.encode(to, forKey: .to)
            try container.encodeIfPresent(replicas, forKey: .replicas)
            try numbers.encode(to: encoder)
        }
    }

    let site: Site
    let services: [Service]
    let paths: [Path]
    let faults: [Fault]
}

extension TopologyDocument {
    /// What a document is made from.
    struct Facts: Sendable {
        let site: TopologyDocument.Site
        let replicas: [SystemUnderTest.Replica]
        /// Of single faults, as the board has them.
        let inForce: [FaultBoard.Entry]
        let failureModes: FailureModes
        /// The run that switched them; nil when a person did.
        let failureModesHolder: String?
        /// Those that have not ended.
        let runs: [RunView]
        /// Of users, where a load of the runner's own is on.
        let users: PathNumbers?
        let meter: PathMeter
        let now: ContinuousClock.Instant
    }

    init(_ facts: Facts) {
        site = facts.site
        services = facts.services
        paths = facts.paths
        faults = facts.faults
    }
}

// MARK: Services

extension TopologyDocument.Facts {
    fileprivate var services: [TopologyDocument.Service] {
        SystemUnderTest.services.map { service in
            .init(
                name: service.name, port: service.port,
                replicas: replicas.filter { $0.tier == service.tier }.map { replica in
                    .init(
                        name: replica.name, address: replica.address, port: replica.port,
                        state: state(of: replica.name, replica.state), restarts: replica.restarts)
                })
        }
    }

    /// What its process does, and what a fault does to it.
    private func state(
        of replica: String, _ state: SystemUnderTest.Replica.State
    ) -> TopologyDocument.Replica.State {
        func isHit(by kinds: Set<FaultSign.Kind>) -> Bool {
            inForce.contains { entry in
                entry.places.contains(.replica(replica)) && entry.signs.contains { kinds.contains($0.kind) }
            }
        }
        switch state {
        case .up: return isHit(by: [.cpu, .memory, .disk]) ? .stressed : .up
        // Chaos Mesh holds a pod down by another image, which the pod restarts with.
        case .restarting: return isHit(by: [.kill]) ? .killed : isHit(by: [.failure]) ? .down : .restarting
        case .down: return .down
        case .stopped: return .stopped
        }
    }
}

// MARK: Paths

extension TopologyDocument.Facts {
    private static let client = SystemUnderTest.client

    fileprivate var paths: [TopologyDocument.Path] {
        [
            usersPath, callPath("inventory", .toInventory), callPath("notification", .toNotification),
            // No service makes this call, so nothing is ever known of it; faults may act there all the same.
            .init(from: "inventory", to: "notification", numbers: .unknown, replicas: []),
        ]
    }

    private var payments: [String] { replicas.filter { $0.tier == "payment" }.map(\.name) }

    private func numbers(_ path: ReplicaCounts.Path, _ replicas: [String]) -> PathNumbers {
        meter.numbers(of: path, at: replicas, now: now) ?? .unknown
    }

    private var usersPath: TopologyDocument.Path {
        let own = isBroken(Self.client, "payment") ? payments : []
        return .init(
            from: Self.client, to: "payment", numbers: users ?? numbers(.fromUsers, payments),
            replicas: own.map { .init(from: Self.client, to: $0, numbers: numbers(.fromUsers, [$0])) })
    }

    private func callPath(_ tier: String, _ path: ReplicaCounts.Path) -> TopologyDocument.Path {
        let own = isBroken("payment", tier) ? payments : []
        return .init(
            from: "payment", to: tier, numbers: numbers(path, payments),
            replicas: own.map { .init(from: $0, to: tier, numbers: numbers(path, [$0])) })
    }

    /// Whether a fault acts between these, or on a payment replica, so that replicas may differ.
    private func isBroken(_ one: String, _ other: String) -> Bool {
        inForce.flatMap(\.places).contains { place in
            switch place {
            case .replica(let name): tier(of: name) == "payment"
            case .path(let from, let to): Set([tier(of: from), tier(of: to)]) == [one, other]
            }
        }
    }

    /// Of a replica; `client` is its own.
    private func tier(of host: String) -> String {
        replicas.first { $0.name == host }?.tier ?? host
    }
}
