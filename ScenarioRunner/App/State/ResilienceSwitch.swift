import Shared

/// The resilience patterns as people and runs switch them: in the store that the services follow, and on the event
/// stream.
struct ResilienceSwitch: Sendable {
    let store: FailureModesStore
    let events: EventHub
    /// The longest that ``put(_:)`` waits for the replicas: each hears of a change within moments, for it waits for one.
    var followTime = Duration.seconds(5)

    private static let lookEvery = Duration.milliseconds(20)

    var current: ResilienceSettings { store.settings.resilience }

    @discardableResult
    func change(_ change: (inout ResilienceSettings) -> Void) -> ResilienceSettings {
        let settings = store.changeResilience(change)
        events.publish("resilience", settings)
        return settings
    }

    /// Puts other settings in force, and returns when every replica that is heard has them.
    ///
    /// - Returns: false when some replica had not taken them up in time.
    func put(_ settings: ResilienceSettings) async -> Bool {
        change { $0 = settings }
        let limit = ContinuousClock.now + followTime
        while !store.isFollowedByAll() {
            guard ContinuousClock.now < limit else { return false }
            try? await Task.sleep(for: Self.lookEvery)
        }
        return true
    }
}
