import Foundation

/// Ends a process in two steps and in bounded time: a pure state machine.
///
/// ```
///   runs --stopped, or out of time--> SIGTERM --grace--> SIGKILL
/// ```
struct ProcessEnding: Sendable {
    /// From SIGTERM to SIGKILL: Locust lets its users end what they are at, and writes its report. With all that a lab
    /// does at its end it stays under the lab's own limit.
    static let grace = Duration.seconds(4)

    /// It may not run longer, whoever stops it or not.
    let deadline: ContinuousClock.Instant
    private var terminated: ContinuousClock.Instant?
    private var isKilled = false

    init(deadline: ContinuousClock.Instant) { self.deadline = deadline }

    /// What to send now; nil for nothing.
    mutating func signal(at now: ContinuousClock.Instant, isStopped: Bool) -> Int32? {
        guard let terminated else {
            guard isStopped || now >= deadline else { return nil }
            terminated = now
            return SIGTERM
        }
        guard !isKilled, now >= terminated + Self.grace else { return nil }
        isKilled = true
        return SIGKILL
    }
}
