/// Where a replica runs, and where its stressors run so that they harm it and nothing else.
public enum Placement: Sendable, Equatable {
    /// In a control group: the kernel holds the limits and accounts for every process in it.
    case group(ControlGroup)
    /// On one processor, shared with whatever else is pinned there.
    case processor(Pinning)

    /// The limits that the kernel holds there for all processes together.
    var limits: ResourceLimits? {
        switch self {
        case .group(let group): group.limits
        case .processor: nil
        }
    }

    /// `command`, started in this place.
    public func enter(_ command: [String]) -> [String] {
        switch self {
        case .group(let group): group.enter(command)
        case .processor(let pinning): pinning.enter(command)
        }
    }
}
