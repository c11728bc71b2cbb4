/// Settings that hold only while the one who gave them is heard: failure modes and a storm of retries that a person
/// switched on must not outlive the runner on which they could be switched off.
///
/// ```
///   received --> in force --- lease over ---> off --- received --> in force
/// ```
public struct SettingsLease: Sendable, Equatable {
    private var held: ServiceSettings?
    private var heardAt: ContinuousClock.Instant?

    /// The longest lease that is believed, in seconds.
    static let maximumSeconds = 3600

    public init() {}

    /// Takes an answer of the runner. Every answer extends the lease, and its version counts even when it is lower
    /// than the last one: a runner that was restarted counts from the start.
    ///
    /// - Returns: whether other settings are in force now than before.
    public mutating func received(_ settings: ServiceSettings, at instant: ContinuousClock.Instant) -> Bool {
        let before = effective(at: instant)
        held = settings
        heardAt = instant
        return effective(at: instant) != before
    }

    /// The settings in force: those last received, or everything off once their lease is over.
    public func effective(at instant: ContinuousClock.Instant) -> ServiceSettings {
        guard let held, let heardAt else { return .off }
        let seconds = min(max(held.leaseS, 1), Self.maximumSeconds)
        return heardAt.duration(to: instant) < .seconds(seconds) ? held : .off
    }
}

extension ServiceSettings {
    /// No failure mode on, and the ``ResilienceSettings/fallback``: what holds without a runner. Its version is one that no runner gives.
    public static let off = ServiceSettings(version: 0, seed: 0, failureModes: .off)
}
