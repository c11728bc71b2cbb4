import Foundation
import Gateway
import Shared

@testable import PaymentService

/// How one life of a payment service is made to differ from production.
struct Sabotage: Sendable {
    var defect: Defect?
    /// Charges are made, and no answer about them arrives.
    var isGatewaySilent = false
    var hook = StepHook.none
    /// See ``FaultyDatabase``.
    var between: @Sendable () -> Void = {}

    static let none = Sabotage()

    /// Where the payments are written. What is acknowledged before it is on the disk is in a store of this life alone,
    /// which the next one does not know.
    var store: String { defect == .acknowledgedBeforeCommit ? "unwritten_\(getpid())" : "payment" }

    func database(_ database: any Database) -> any Database {
        guard let defect else { return database }
        return FaultyDatabase(base: database, defect: defect, between: between)
    }

    func acquirer(_ acquirer: any Acquirer) -> any Acquirer {
        FaultyAcquirer(base: acquirer, defect: defect, isSilent: isGatewaySilent)
    }
}
