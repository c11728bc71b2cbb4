import Experiments

/// One fault in the lab, from its application to its removal.
public protocol LabFault: Sendable {
    /// What was put where, for people.
    var summary: String { get }
    /// Puts the fault in force. After a throw nothing is left behind.
    func apply() async throws
    /// Throws unless the fault is really in force.
    func verify() async throws
    /// What the fault has done so far.
    func reading() async throws -> DoseReading
    /// Takes the fault away and checks that it is gone. A second call is harmless.
    func undo() async throws
}
