import Experiments

/// One fault in the lab. One small file a kind, one life cycle for all.
///
/// ```
///   apply --> verify --> readings * --> undo
/// ```
///
/// ``undo()`` is always called, also after an ``apply()`` or ``verify()`` that threw.
public protocol LabFault: Sendable {
    /// What is done to whom, for people: `drop 80 % of the packets 10.77.1.1 -> 10.77.2.1`.
    var summary: String { get }

    /// What is put where, and what takes it away: for plans.
    var steps: [FaultPlan.Step] { get }

    /// Puts it in force, all of it or nothing. A second call begins anew, with counters at 0.
    func apply() async throws

    /// Reads back from the kernel that it is in force as asked; throws ``FaultVanished`` or ``FaultMismatch``.
    func verify() async throws

    /// What it has done since ``apply()``; throws ``FaultVanished`` when it is no longer there.
    func reading() async throws -> DoseReading

    /// As ``reading()``, for a fault that has several parts; just that reading by default.
    func readings() async throws -> [DoseReading]

    /// Takes it away and checks that it is gone. Harmless when it is not there.
    func undo() async throws
}

extension LabFault {
    public func readings() async throws -> [DoseReading] { [try await reading()] }
}

/// A fault that was applied is no longer there: someone took it away behind the runner's back.
public struct FaultVanished: Error, Sendable, Equatable, CustomStringConvertible {
    public let fault: String
    /// What became of it.
    public var cause = "its rules were removed by someone else"
    public var description: String { "\(fault) is no longer in force: \(cause)" }
}

/// What the kernel holds is not what was asked for.
public struct FaultMismatch: Error, Sendable, Equatable, CustomStringConvertible {
    public let fault: String
    /// What differs.
    public let detail: String
    public var description: String { "\(fault) is not in force as asked: \(detail)" }
}

/// A fault that cannot be made as asked.
public struct InvalidFault: Error, Sendable, Equatable, CustomStringConvertible {
    /// What is wrong with it, and what would be right.
    public let detail: String
    public var description: String { detail }
}
