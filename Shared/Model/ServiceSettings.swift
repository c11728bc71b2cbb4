/// What the services poll from the scenario runner: the failure modes and the resilience patterns in force, and how
/// long they may be believed.
public struct ServiceSettings: Sendable, Equatable, Codable {
    /// Grows with every change; a poll that names it waits for the next one.
    public let version: Int
    /// Seconds after the last answer from which a service falls back to ``FailureModes/off`` and to
    /// ``ResilienceSettings/fallback``.
    public let leaseS: Int
    /// Decides every draw together with the payment's key: see ``Draw``.
    public let seed: UInt64
    public let failureModes: FailureModes
    public let resilience: ResilienceSettings

    public init(
        version: Int, leaseS: Int = ServiceSettings.leaseSeconds, seed: UInt64, failureModes: FailureModes,
        resilience: ResilienceSettings = .fallback
    ) {
        self.version = version
        self.leaseS = leaseS
        self.seed = seed
        self.failureModes = failureModes
        self.resilience = resilience
    }

    /// Settings of a runner that knows nothing of resilience mean the fallback.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            version: try container.decode(Int.self, forKey: .version),
            leaseS: try container.decode(Int.self, forKey: .leaseS),
            seed: try container.decode(UInt64.self, forKey: .seed),
            failureModes: try container.decode(FailureModes.self, forKey: .failureModes),
            resilience: try container.decodeIfPresent(ResilienceSettings.self, forKey: .resilience) ?? .fallback)
    }

    public static let leaseSeconds = 15

    enum CodingKeys: String, CodingKey {
        case version, seed, resilience
        case leaseS = "lease_s"
        case failureModes = "failure_modes"
    }
}
