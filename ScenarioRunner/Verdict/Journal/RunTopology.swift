/// What ran where, and where the fault was: enough to draw it.
///
/// ```
///   client -> payment-service -> inventory-service      paths, between services
///             payment-0  -x->  inventory-1              broken, between replicas, or at one
/// ```
public struct RunTopology: Codable, Sendable, Equatable {
    public struct Service: Codable, Sendable, Equatable {
        /// `payment-service`.
        public var name: String
        /// `payment-0`, ...
        public var replicas: [String]

        public init(name: String, replicas: [String]) {
            self.name = name
            self.replicas = replicas
        }
    }

    /// Who calls whom.
    public struct Path: Codable, Sendable, Equatable {
        /// A service, or `client`, where the users are.
        public var from: String
        public var to: String

        public init(from: String, to: String) {
            self.from = from
            self.to = to
        }
    }

    /// A place where the fault acts.
    public struct Broken: Codable, Sendable, Equatable {
        public enum Kind: String, Codable, Sendable {
            /// Packets on their way from one host to another.
            case path
            /// A replica itself: its processor, memory, disk or life.
            case replica
        }

        /// A replica, or `client`.
        public var from: String
        /// Nil unless ``kind`` is `path`.
        public var to: String?
        public var kind: Kind
        /// What the fault does there, for people.
        public var label: String

        public init(from: String, to: String? = nil, label: String) {
            self.from = from
            self.to = to
            kind = to == nil ? .replica : .path
            self.label = label
        }
    }

    public var services: [Service]
    public var paths: [Path]
    public var broken: [Broken]

    public init(services: [Service] = [], paths: [Path] = [], broken: [Broken] = []) {
        self.services = services
        self.paths = paths
        self.broken = broken
    }

    /// The service of a replica; for one that is not in here, its name without the number at its end.
    public func service(of replica: String) -> String {
        if let service = services.first(where: { $0.replicas.contains(replica) }) { return service.name }
        let words = replica.split(separator: "-", omittingEmptySubsequences: false)
        guard words.count > 1, let last = words.last, !last.isEmpty, last.allSatisfy(\.isNumber) else { return replica }
        return words.dropLast().joined(separator: "-")
    }
}
