import Experiments

/// When a replica is started again: a pure state machine, one for each replica.
///
/// ```
///             start                started
///   stopped --------> starting ---------------> running
///      ^  ^             |  ^                       |
///      |  |      exited |  | timer                 | exited
///      |  |             v  |                       |
///      |  '--stop--- backingOff <------------------'
///      |
///      '-- exited -- stopping <--- stop --- starting, running
///
///                      hold              exited          release
///   starting, running ------> ending ----------> held ------------> released --(timer)--> starting
///                                                 ^
///                 backingOff, released -- hold ---'
/// ```
///
/// A replica that a fault holds down is not started again before it is released, and then at once, without a wait.
///
/// It never gives up while the lab runs: a replica that cannot live yet (its database is being restored, its port
/// is still taken) comes back within ``maximumDelay`` of the moment it can.
public struct RestartPolicy: Sendable {
    /// What happened. Times are of the monotonic clock.
    public enum Event: Sendable, Equatable {
        /// The replica is wanted.
        case start
        /// Its process runs.
        case started(at: ContinuousClock.Instant)
        /// Its process ended, or could not be started at all.
        case exited(at: ContinuousClock.Instant)
        /// The time asked for with ``Action/wait(_:)`` is over.
        case timer
        /// The replica is no longer wanted. The caller ends the process and reports ``exited(at:)``.
        case stop
        /// The replica is to be down until it is released.
        case hold
        /// It may run again.
        case release
    }

    /// What the caller does next.
    public enum Action: Sendable, Equatable {
        case spawn
        /// Report ``Event/timer`` after this time, or as soon as the replica is released.
        case wait(Duration)
        /// Report ``Event/timer`` as soon as the replica is released.
        case waitForRelease
        /// End the process, if there is one by now, and report ``Event/exited(at:)``.
        case end
        case nothing
    }

    public enum State: Sendable, Equatable {
        case stopped
        case starting
        case running(since: ContinuousClock.Instant)
        case backingOff
        case stopping
        /// Held down, while its process still ends.
        case ending
        /// Held down, without a process.
        case held
        /// No longer held, and about to be started.
        case released
    }

    /// The wait before the first restart, doubled with each further one.
    public static let firstDelay = Duration.milliseconds(100)
    /// The longest wait, before the jitter.
    public static let maximumDelay = Duration.seconds(5)
    /// A process that ran this long was a good one: the next wait is ``firstDelay`` again.
    public static let goodRun = Duration.seconds(10)
    /// Each wait is shortened by up to this share, so that replicas that died together do not return together.
    public static let jitter = 0.2

    public private(set) var state = State.stopped
    /// How often the process was started again since ``Event/start``.
    public private(set) var restarts = 0
    /// Ends in a row without a good run between them.
    private var failures = 0
    private var generator: SeededGenerator

    /// - Parameter name: the replica's, so that each has waits of its own from one seed.
    public init(seed: UInt64, name: String) {
        generator = SeededGenerator(seed: seed, purpose: "restart \(name)")
    }

    /// An event that makes no sense in this state (a late timer, a second stop) changes nothing.
    public mutating func handle(_ event: Event) -> Action {
        switch (state, event) {
        case (.stopped, .start):
            state = .starting
            restarts = 0
            failures = 0
            return .spawn
        case (.starting, .started(let now)):
            state = .running(since: now)
            return .nothing
        case (.starting, .exited):
            return backOff()
        case (.running(let since), .exited(let now)):
            if now - since >= Self.goodRun { failures = 0 }
            return backOff()
        case (.backingOff, .timer), (.released, .timer):
            state = .starting
            restarts += 1
            return .spawn
        case (.starting, .stop), (.running, .stop), (.ending, .stop):
            state = .stopping
            return .nothing
        case (.backingOff, .stop), (.held, .stop), (.released, .stop), (.stopping, .exited):
            state = .stopped
            return .nothing
        default:
            return handleHold(event)
        }
    }

    private mutating func handleHold(_ event: Event) -> Action {
        switch (state, event) {
        case (.starting, .hold), (.running, .hold):
            state = .ending
            return .end
        case (.ending, .started):
            // It was on its way when it was to be held.
            return .end
        case (.ending, .exited):
            state = .held
            return .waitForRelease
        case (.backingOff, .hold), (.released, .hold):
            state = .held
            return .nothing
        case (.held, .timer):
            // The wait of before the hold is over.
            return .waitForRelease
        case (.ending, .release):
            // Its process still ends; that it does is not its own failure.
            state = .starting
            failures = 0
            return .nothing
        case (.held, .release):
            state = .released
            failures = 0
            return .nothing
        default:
            return .nothing
        }
    }

    private mutating func backOff() -> Action {
        state = .backingOff
        // 100 ms doubles to more than 5 s in six steps; beyond that a longer shift would only overflow.
        let delay = min(Self.firstDelay * (1 << min(failures, 6)), Self.maximumDelay)
        failures += 1
        return .wait(delay * Double.random(in: (1 - Self.jitter)...1, using: &generator))
    }
}
