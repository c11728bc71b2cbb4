/// What an engine would do for an experiment. Making a plan changes nothing.
///
/// ```
///   Experiment --selectors, mode, seed--> FaultPlan --> a person, before the run
///                                            '--> places --> conflicts with what is in force
/// ```
public struct FaultPlan: Sendable, Equatable {
    /// Where a fault acts. Two faults in one place cannot be told apart in what they did.
    public enum Place: Hashable, Sendable {
        /// `payment-0`.
        case replica(String)
        /// Packets on the way from one host to another.
        case path(from: String, to: String)
    }

    /// One thing that is put somewhere.
    public struct Step: Codable, Sendable, Equatable {
        /// `router, forward hook`, `payment-0`.
        public let location: String
        public let action: String
        /// What takes it away.
        public let undo: String

        public init(location: String, action: String, undo: String) {
            self.location = location
            self.action = action
            self.undo = undo
        }
    }

    /// The replicas that the selectors and the mode have chosen, in the order of the topology.
    public let replicas: [String]
    public let places: Set<Place>
    public let steps: [Step]

    public init(replicas: [String], places: Set<Place>, steps: [Step]) {
        self.replicas = replicas
        self.places = places
        self.steps = steps
    }
}

extension FaultPlan.Place: CustomStringConvertible {
    /// For people: `payment-0`, `payment-0 -> inventory-1`.
    public var description: String {
        switch self {
        case .replica(let name): name
        case .path(let from, let to): "\(from) -> \(to)"
        }
    }
}
