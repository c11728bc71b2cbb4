import Shared

/// An acquirer that answers as the failure modes in force say.
///
/// ```
///   test card ---------------------------------------------> its own answer, whatever the probabilities are
///   other card --> stolen? --> declined? --> silent? -------> approved
///                     |            |            '-----------> wait, then no answer: nothing was charged
///                     |            '------------------------> generic_decline
///                     '-------------------------------------> stolen_card
/// ```
public struct SimulatedAcquirer: Acquirer {
    private let settings: @Sendable () -> ServiceSettings

    /// The shortest and the longest silence, in seconds: those of the runner's API.
    static let delaySeconds = 1.0...60.0

    /// - Parameter settings: the settings in force; asked once a charge.
    public init(settings: @escaping @Sendable () -> ServiceSettings) {
        self.settings = settings
    }

    public func authorise(_ charge: ChargeRequest) async throws -> ChargeResult {
        if case .test(let card) = charge.instrument {
            return ChargeResult(card.declineCode.map(ChargeResult.Outcome.declined) ?? .approved)
        }
        let settings = settings()
        let scenario = Self.scenario(settings, key: charge.idempotencyKey ?? charge.paymentID)
        switch scenario {
        case nil: return ChargeResult(.approved)
        case .stolenCard: return ChargeResult(.declined(.stolenCard), scenario: scenario)
        case .cardDecline: return ChargeResult(.declined(.genericDecline), scenario: scenario)
        case .gatewayTimeout:
            try await Task.sleep(for: Self.silence(settings.failureModes))
            return ChargeResult(.noAnswer, scenario: scenario)
        }
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

    /// How long the caller hears nothing: never past its own deadline, for then nobody listens any more.
    private static func silence(_ modes: FailureModes) -> Duration {
        let seconds = min(max(modes.gatewayTimeoutDelay, delaySeconds.lowerBound), delaySeconds.upperBound)
        let delay = Duration.milliseconds(Int(seconds * 1000))
        guard let deadline = RequestDeadline.current else { return delay }
        return max(.zero, min(delay, deadline.remaining))
    }
}
