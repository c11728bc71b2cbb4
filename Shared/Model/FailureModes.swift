/// The payment failures that a person can switch on. Names and ranges are those of the HTTP contract.
public struct FailureModes: Sendable, Equatable, Codable {
    public var gatewayTimeoutEnabled = false
    /// How long the gateway is silent before the payment service gives up, in seconds, 1 to 60.
    public var gatewayTimeoutDelay: Double = 10
    /// Percent of payments, 0 to 100.
    public var gatewayTimeoutProbability: Double = 0
    public var gatewayTimeoutPhase = GatewayTimeoutPhase.afterCharge
    public var cardDeclineEnabled = false
    public var cardDeclineProbability: Double = 0
    public var stolenCardEnabled = false
    public var stolenCardProbability: Double = 0

    public init() {}

    public static let off = FailureModes()

    /// Settings of a runner that names no phase mean the default one.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        gatewayTimeoutEnabled = try container.decode(Bool.self, forKey: .gatewayTimeoutEnabled)
        gatewayTimeoutDelay = try container.decode(Double.self, forKey: .gatewayTimeoutDelay)
        gatewayTimeoutProbability = try container.decode(Double.self, forKey: .gatewayTimeoutProbability)
        gatewayTimeoutPhase =
            try container.decodeIfPresent(GatewayTimeoutPhase.self, forKey: .gatewayTimeoutPhase) ?? .afterCharge
        cardDeclineEnabled = try container.decode(Bool.self, forKey: .cardDeclineEnabled)
        cardDeclineProbability = try container.decode(Double.self, forKey: .cardDeclineProbability)
        stolenCardEnabled = try container.decode(Bool.self, forKey: .stolenCardEnabled)
        stolenCardProbability = try container.decode(Double.self, forKey: .stolenCardProbability)
    }

    enum CodingKeys: String, CodingKey {
        case gatewayTimeoutEnabled = "gateway_timeout_enabled"
        case gatewayTimeoutDelay = "gateway_timeout_delay"
        case gatewayTimeoutProbability = "gateway_timeout_probability"
        case gatewayTimeoutPhase = "gateway_timeout_phase"
        case cardDeclineEnabled = "card_decline_enabled"
        case cardDeclineProbability = "card_decline_probability"
        case stolenCardEnabled = "stolen_card_enabled"
        case stolenCardProbability = "stolen_card_probability"
    }
}

/// Where on its way the gateway's answer is lost.
///
/// ```
///   payment --ask--> gateway: charge --answer--> payment: completed --answer--> caller
///              |                        |                              |
///        before-charge             after-charge                  response-lost
/// ```
public enum GatewayTimeoutPhase: String, Sendable, Codable, CaseIterable {
    /// The wish never arrives: nothing is charged.
    case beforeCharge = "before-charge"
    /// The customer is charged, and the payment service does not hear of it. The case that everyone gets wrong.
    case afterCharge = "after-charge"
    /// The payment completes, and its caller does not hear of it.
    case responseLost = "response-lost"
}

/// A draw that any replica makes alike: a hash of the seed, the scenario, and the payment's key. It depends on no
/// order and no shared state, so the same run with the same seed fails the same payments.
public enum Draw {
    /// Whether a scenario that hits `percent` (0 to 100) of payments hits this one.
    public static func hits(percent: Double, seed: UInt64, scenario: String, key: String) -> Bool {
        fraction(seed: seed, scenario: scenario, key: key) * 100 < percent
    }

    /// A number in 0..<1, uniform over keys: FNV-1a over the text, finished with the mixer of SplitMix64.
    public static func fraction(seed: UInt64, scenario: String, key: String) -> Double {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325 ^ seed
        for byte in scenario.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
        hash = (hash ^ 0xFF) &* 0x0000_0100_0000_01b3
        for byte in key.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
        hash = (hash ^ (hash >> 30)) &* 0xbf58_476d_1ce4_e5b9
        hash = (hash ^ (hash >> 27)) &* 0x94d0_49bb_1331_11eb
        hash ^= hash >> 31
        return Double(hash >> 11) / Double(1 << 53)
    }
}
