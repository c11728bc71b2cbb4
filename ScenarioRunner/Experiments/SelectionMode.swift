/// How many of the matching replicas are taken, and which.
public enum SelectionMode: Sendable, Equatable {
    case one
    case all
    /// That many, or all when there are fewer; 1 or more.
    case fixed(Int)
    /// That share of them, 1 to 100 percent.
    case fixedPercent(Int)
    /// A share drawn evenly from 0 to that many percent, 1 to 100.
    case randomMaxPercent(Int)

    /// The chosen ones, in the order given. Shares round down, as Chaos Mesh does
    /// (`pkg/selector/generic/mode.go`, `FilterObjectsByMode`), so half of one replica is none: whoever injects the
    /// fault refuses an empty choice.
    public func choose<Element>(
        from candidates: [Element], using generator: inout some RandomNumberGenerator
    ) -> [Element] {
        let count: Int
        switch self {
        case .one: count = 1
        case .all: return candidates
        case .fixed(let wanted): count = wanted
        case .fixedPercent(let percent): count = candidates.count * percent / 100
        case .randomMaxPercent(let most):
            count = candidates.count * Int.random(in: 0...most, using: &generator) / 100
        }
        return Array(candidates.indices.shuffled(using: &generator).prefix(count).sorted().map { candidates[$0] })
    }
}

/// A selector with its mode: one side of a fault.
public struct ReplicaSelection: Sendable, Equatable {
    public let selector: Selector
    public let mode: SelectionMode

    public init(selector: Selector, mode: SelectionMode) {
        self.selector = selector
        self.mode = mode
    }

    /// The replicas that the fault touches: those that match, thinned out by the mode.
    public func choose(
        from replicas: [ReplicaFacts], using generator: inout some RandomNumberGenerator
    ) -> [ReplicaFacts] {
        mode.choose(from: replicas.filter(selector.matches), using: &generator)
    }
}
