import Experiments

/// How long the dose of a fault may be unreadable before nobody believes in it any more.
///
/// A request that is lost, or an API server that starts anew, says nothing of the fault; an object that somebody has
/// deleted does, and is borne no moment.
struct ReadingPatience {
    static let limit = Duration.seconds(15)

    private var failingSince: ContinuousClock.Instant?

    /// Whether the last reading has failed.
    var isTried: Bool { failingSince != nil }

    mutating func succeeded() { failingSince = nil }

    /// Whether a reading that has failed so may be missing.
    mutating func bears(_ error: any Error, at now: ContinuousClock.Instant) -> Bool {
        guard let error = error as? any PassingTrouble, error.mayPass else { return false }
        let since = failingSince ?? now
        failingSince = since
        return since.duration(to: now) < Self.limit
    }
}
