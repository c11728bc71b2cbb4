import Experiments
import Foundation
import Shared
import TestSupport

/// What a soak does: how many payments, by how many clients, and what breaks meanwhile.
struct SoakPlan: Sendable {
    /// At least.
    var payments = 2000
    var clients = 64
    /// Decides what is bought, what is refunded, who gives up, and whom the killer hits.
    var seed: UInt64
    /// Of each failure mode, in percent.
    var failureProbability = 20
    /// Seconds of the gateway's silence.
    var gatewayDelay = 1
    /// How long one phase of the gateway's timeouts holds.
    var modeTurn = Duration.seconds(7)
    /// Between two kills.
    var killPeriod = Duration.seconds(2)
    /// How long one path loses packets, before the next one does.
    var lossTurn = Duration.seconds(8)
    /// Of each path that loses them, in percent.
    var lossPercent = 50
    /// What a client waits for one answer: as long as the users of the runner's load.
    var patience = Duration.seconds(5)
    /// Between two lines of progress.
    var progressPeriod = Duration.seconds(10)
    /// Every payment is final this long after the last client has gone.
    var settleTime = Duration.seconds(30)
    /// The folder of the four executables that are soaked.
    var executables: URL
    /// How the services guard themselves; nil: as a fresh lab does.
    var resilience: ResilienceSettings?

    /// The databases that are soaked, one after the other: all in the short form; in the long one the one that
    /// `SOAK_DATABASE` names, SQLite by default.
    static var databases: [DatabaseKind] {
        let environment = ProcessInfo.processInfo.environment
        if let name = environment["SOAK_DATABASE"] { return DatabaseKind(rawValue: name).map { [$0] } ?? [] }
        return environment["SOAK_PAYMENTS"] == nil ? DatabaseKind.allCases : [.sqlite]
    }

    /// Far more than it takes: five payments a second, and the time to warm up.
    var loadLimit: Duration { .seconds(120 + payments / 5) }

    /// The short form, or what the environment asks for: `SOAK_PAYMENTS`, `SOAK_SEED`, `SOAK_EXECUTABLES`, the
    /// folder of the executables, and `SOAK_RESILIENCE`, such as `hardened`.
    ///
    /// - Parameter environment: nil for the process's own.
    /// - Throws: ``SettingsError`` naming every value that is wrong.
    static func from(environment: [String: String]? = nil) throws -> SoakPlan {
        let reader = SettingsReader(environment: environment)
        let payments = reader.integer("SOAK_PAYMENTS", in: 1...1_000_000, default: 2000)
        let seed = reader.integer("SOAK_SEED", in: 0...Int.max, default: Int.random(in: 0...999_999_999))
        let folder = reader.text("SOAK_EXECUTABLES", default: LabProcess.executables.path)
        let resilience = try reader.optionalText("SOAK_RESILIENCE").map(Self.resilience)
        try reader.finish()
        return SoakPlan(
            payments: payments, seed: UInt64(seed),
            executables: URL(fileURLWithPath: folder, relativeTo: LabProcess.repository).absoluteURL,
            resilience: resilience)
    }

    private static func resilience(_ text: String) throws -> ResilienceSettings {
        do throws(QuantityError) {
            return try .parse(text)
        } catch {
            throw SettingsError(messages: ["SOAK_RESILIENCE=\(text): \(error.description)"])
        }
    }
}

/// One payment that a client is going to make, as the seed decided it.
struct SoakOrder: Sendable {
    let index: Int
    /// Names the payment, however often it is asked for.
    let key: String
    let amount: Money
    let productID: String
    /// How often the client asks before it goes without knowing.
    let tries: Int
    /// Between two tries.
    let pause: Duration
    /// What goes back to a customer who paid; nil for most.
    let refund: Money?

    static let products = 1...5

    /// The same for the same seed and index, whichever client comes to it.
    init(index: Int, seed: UInt64) {
        var generator = SeededGenerator(seed: seed, purpose: "payment \(index)")
        self.index = index
        key = "soak-\(seed)-\(index)"
        amount = Money(minorUnits: .random(in: 1...99_999, using: &generator), currency: .usd)
        productID = "\(Int.random(in: Self.products, using: &generator))"
        // Every fifth client gives up at once; the others ask again, most of them until they know.
        tries = Int.random(in: 0..<5, using: &generator) == 0 ? 1 : Int.random(in: 2...8, using: &generator)
        pause = .milliseconds(Int.random(in: 100...1000, using: &generator))
        refund =
            switch Int.random(in: 0..<20, using: &generator) {
            case 0: amount
            case 1: Money(minorUnits: .random(in: 1...amount.minorUnits, using: &generator), currency: amount.currency)
            default: nil
            }
    }
}
