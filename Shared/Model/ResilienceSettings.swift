/// One way in which the services guard themselves against one another, switched on or off by its name in the API.
public enum ResiliencePattern: String, Sendable, Codable, CaseIterable {
    /// A failed call is made again: see ``RetryPolicy``.
    case retry
    /// Calls are made again only as far as a budget goes: see ``RetryBudget``.
    case retryBudget = "retry_budget"
    /// A service that keeps failing is left alone for a while: see ``CircuitBreaker``.
    case circuitBreaker = "circuit_breaker"
    /// A call that takes long is made a second time beside the first: see ``HedgeDelay``.
    case hedging
    /// A server refuses what it could only answer late: see ``ConcurrencyLimit``.
    case loadShedding = "load_shedding"
    /// How long a caller will wait is sent on, and honoured: see ``RequestDeadline``.
    case deadlines
    /// A payment whose gateway does not answer is accepted (202) and settled later, instead of failed (504).
    case acceptPending = "accept_pending"
}

/// How the patterns are set when nobody sets them one by one, and in which manner calls are made again.
///
/// | profile | on | calls are made again |
/// |---|---|---|
/// | `naive` | `deadlines` | not; with `retry` switched on, with back-off |
/// | `hardened` | everything | 3 times in all, with back-off and jitter |
/// | `retry-storm` | `retry` | 5 times in all, at once, after 500 ms of silence each |
public enum ResilienceProfile: String, Sendable, Codable, CaseIterable {
    /// No defence but time limits, of which the longest is 15 s. What the services do without a scenario runner, and
    /// in a lab until somebody says otherwise. Deadlines are on: that they are honoured is part of the HTTP contract.
    case naive
    case hardened
    /// What well-meant retries do to a system near its capacity (Bronson et al., "Metastable Failures in Distributed
    /// Systems", HotOS 2021).
    case retryStorm = "retry-storm"

    public var patterns: Set<ResiliencePattern> {
        switch self {
        case .naive: [.deadlines]
        case .hardened: Set(ResiliencePattern.allCases)
        case .retryStorm: [.retry]
        }
    }
}

/// The warehouse that the inventory service asks for every customer's call, when it is given a size: a number of
/// connections, each of which is busy for a fixed time a call. Then a replica can do `connections / hold` calls a
/// second, on every machine; the rest waits in line.
public struct InventoryPool: Sendable, Equatable, Codable {
    public static let connectionRange = 1...256
    public static let holdRangeMs = 1...5000

    /// Of each replica.
    public let connections: Int
    /// How long one call keeps a connection, in milliseconds.
    public let holdMs: Int

    public init(connections: Int, holdMs: Int) {
        self.connections = connections
        self.holdMs = holdMs
    }

    enum CodingKeys: String, CodingKey {
        case connections
        case holdMs = "hold_ms"
    }
}

/// Which resilience patterns are in force, in every service alike.
public struct ResilienceSettings: Sendable, Equatable {
    /// The profile last chosen. Single patterns may differ from it; the manner of its retries holds all the same.
    public var profile: ResilienceProfile
    public var patterns: Set<ResiliencePattern>
    /// Nil: as fast as the machine is.
    public var inventoryPool: InventoryPool?

    public init(_ profile: ResilienceProfile = .naive, inventoryPool: InventoryPool? = nil) {
        self.profile = profile
        patterns = profile.patterns
        self.inventoryPool = inventoryPool
    }

    /// What holds without a runner, and once it is not heard any more: a storm that somebody switched on must not
    /// outlive the page on which it could be switched off.
    public static let fallback = ResilienceSettings(.naive)

    public func has(_ pattern: ResiliencePattern) -> Bool { patterns.contains(pattern) }

    public mutating func set(_ pattern: ResiliencePattern, _ isOn: Bool) {
        if isOn { patterns.insert(pattern) } else { patterns.remove(pattern) }
    }
}

extension ResilienceSettings: Codable {
    enum CodingKeys: String, CodingKey {
        case profile, patterns
        case inventoryPool = "inventory_pool"
    }

    /// A pattern that is not named is as its profile has it, and one that this version does not know is passed over:
    /// a runner may be newer than a service.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            try container.decode(ResilienceProfile.self, forKey: .profile),
            inventoryPool: try container.decodeIfPresent(InventoryPool.self, forKey: .inventoryPool))
        let switches = try container.decodeIfPresent([String: Bool].self, forKey: .patterns) ?? [:]
        for (name, isOn) in switches {
            if let pattern = ResiliencePattern(rawValue: name) { set(pattern, isOn) }
        }
    }

    /// Every pattern by its name, on or off; null where the inventory has no pool.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(profile, forKey: .profile)
        try container.encode(
            Dictionary(uniqueKeysWithValues: ResiliencePattern.allCases.map { ($0.rawValue, has($0)) }),
            forKey: .patterns)
        try container.encode(inventoryPool, forKey: .inventoryPool)
    }
}

extension ResilienceSettings: CustomStringConvertible {
    /// As a manifest and the command line say it: `retry-storm + retry_budget, inventory pool 2 x 80ms`.
    public var description: String {
        let changes = ResiliencePattern.allCases.filter { has($0) != profile.patterns.contains($0) }
        let words = changes.map { " \(has($0) ? "+" : "-") \($0.rawValue)" }
        let pool = inventoryPool.map { ", inventory pool \($0.connections) x \($0.holdMs)ms" } ?? ""
        return profile.rawValue + words.joined() + pool
    }
}
