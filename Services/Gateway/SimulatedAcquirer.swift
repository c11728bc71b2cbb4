import Shared

/// An acquirer with books of its own that answers as the failure modes in force say.
///
/// ```
///   test card ---------------------------------------> its own answer, whatever the probabilities are
///   other card --> stolen? --> declined? --> silent? -> approved
///                     |            |            |
///               stolen_card  generic_decline    '--before-charge: nothing is written, no answer
///                                                --after-charge:  approved is written, no answer
///                                                --response-lost: approved, and the payment's caller hears nothing
/// ```
///
/// Every answer but silence is written down before it is given.
public struct SimulatedAcquirer: Acquirer {
    private let store: GatewayStore
    private let settings: @Sendable () -> ServiceSettings

    /// The shortest and the longest silence, in seconds: those of the runner's API.
    static let delaySeconds = 1.0...60.0

    /// What ``init(database:settings:)`` needs in its database.
    public static let migrations = GatewayStore.migrations

    /// - Parameters:
    ///   - database: the books, opened with ``migrations``. Replicas share them.
    ///   - settings: the settings in force; asked once a charge.
    public init(database: any Database, settings: @escaping @Sendable () -> ServiceSettings) {
        store = GatewayStore(database: database)
        self.settings = settings
    }

    public func authorise(_ request: ChargeRequest) async throws -> ChargeResult {
        if case .test(let card) = request.instrument {
            return try await record(request, card.declineCode.map(GatewayCharge.State.declined) ?? .approved)
        }
        let settings = settings()
        let scenario = Self.scenario(settings, key: request.idempotencyKey ?? request.paymentID)
        switch scenario {
        case nil: return try await record(request, .approved)
        case .stolenCard: return try await record(request, .declined(.stolenCard), scenario)
        case .cardDecline: return try await record(request, .declined(.genericDecline), scenario)
        case .gatewayTimeout: return try await fallSilent(request, settings.failureModes)
        }
    }

    public func charge(of paymentID: String) async throws -> GatewayCharge? {
        try await store.close(paymentID)
    }

    public func refund(_ refundID: String, of paymentID: String, amount: Money) async throws -> Bool {
        try await store.refund(refundID, of: paymentID, amount: amount)
    }

    public func charges(ofPayments paymentIDs: [String]) async throws -> [GatewayCharge] {
        try await store.charges(ofPayments: paymentIDs)
    }

    public func charges(afterPayment paymentID: String, limit: Int) async throws -> [GatewayCharge] {
        try await store.charges(afterPayment: paymentID, limit: limit)
    }

    /// The first failure mode whose draw hits. All draws are independent of each other, of the replica and of the
    /// order of payments.
    static func scenario(_ settings: ServiceSettings, key: String) -> FailureScenario? {
        let modes = settings.failureModes
        let draws: [(FailureScenario, enabled: Bool, percent: Double)] = [
            (.stolenCard, modes.stolenCardEnabled, modes.stolenCardProbability),
            (.cardDecline, modes.cardDeclineEnabled, modes.cardDeclineProbability),
            (.gatewayTimeout, modes.gatewayTimeoutEnabled, modes.gatewayTimeoutProbability),
        ]
        return draws.first { scenario, enabled, percent in
            enabled && Draw.hits(percent: percent, seed: settings.seed, scenario: scenario.rawValue, key: key)
        }?.0
    }

    private func fallSilent(_ request: ChargeRequest, _ modes: FailureModes) async throws -> ChargeResult {
        let scenario = FailureScenario.gatewayTimeout
        switch modes.gatewayTimeoutPhase {
        case .beforeCharge: break
        case .afterCharge: _ = try await record(request, .approved, scenario)
        case .responseLost:
            let result = try await record(request, .approved, scenario)
            return ChargeResult(result.outcome, scenario: scenario, lostAnswerDelay: Self.silence(modes))
        }
        try await Task.sleep(for: Self.silence(modes))
        return ChargeResult(.noAnswer, scenario: scenario)
    }

    /// Writes the charge down and answers what stands in the books then.
    private func record(
        _ request: ChargeRequest, _ state: GatewayCharge.State, _ scenario: FailureScenario? = nil
    ) async throws -> ChargeResult {
        let charge = try await store.record(
            GatewayCharge(
                id: Identifier.make(prefix: "CHG"), paymentID: request.paymentID,
                idempotencyKey: request.idempotencyKey, amount: request.amount, state: state, scenario: scenario))
        guard let charge else { return ChargeResult(.closed) }
        switch charge.state {
        case .approved: return ChargeResult(.approved, scenario: charge.scenario)
        case .declined(let code): return ChargeResult(.declined(code), scenario: charge.scenario)
        }
    }

    /// How long the caller hears nothing: never past its own deadline, for then nobody listens any more.
    private static func silence(_ modes: FailureModes) -> Duration {
        let seconds = min(max(modes.gatewayTimeoutDelay, delaySeconds.lowerBound), delaySeconds.upperBound)
        let delay = Duration.milliseconds(Int(seconds * 1000))
        guard let deadline = RequestDeadline.current else { return delay }
        return max(.zero, min(delay, deadline.remaining))
    }
}
