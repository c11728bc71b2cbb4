import Experiments

/// The parts of a run.
public enum PhaseName: String, Codable, Sendable, CaseIterable {
    /// Caches fill and connections open; judged by nobody.
    case warmUp = "warm_up"
    case baseline
    case fault
    case recovery
}

/// When the parts of a run were, on one clock.
///
/// ```
///   |-- warm_up --|---- baseline ----|..|------ fault ------|..|---- recovery ----|
///                                    ^  ^                   ^  ^
///                            injecting  in force     removing  gone
/// ```
///
/// A sample belongs to the part in which it was *due*. What is due while the fault is put on or taken off belongs to
/// none: nobody can say what it met.
public struct PhaseClock: Sendable, Equatable {
    /// In nanoseconds of the load's clock. A part that the run never came to is absent.
    public private(set) var windows: [PhaseName: Range<UInt64>] = [:]
    /// The start of the run.
    public let startNs: UInt64

    /// - Parameter startNs: of the run, on the load's clock.
    public init(startNs: UInt64) {
        self.startNs = startNs
    }

    /// Notes when a part was; an empty or reversed one is not kept.
    public mutating func set(_ phase: PhaseName, from start: UInt64, to end: UInt64) {
        windows[phase] = start < end ? start..<end : nil
    }

    /// The part in which `instant` lies; nil between and outside of them.
    public func phase(at instant: UInt64) -> PhaseName? {
        PhaseName.allCases.first { windows[$0]?.contains(instant) ?? false }
    }

    func samples(_ samples: [RequestSample], in phase: PhaseName) -> [RequestSample] {
        guard let window = windows[phase] else { return [] }
        return samples.filter { window.contains($0.intendedNs) }
    }
}
