/// Decides from what a master says whether its test has ended: a pure state machine.
///
/// A master answers from a cache of two seconds, so that the first answers can be of the time before the start.
struct MasterWatch: Sendable {
    enum Verdict: Equatable {
        case goOn, ended, lost
    }

    static let settlingTime = Duration.seconds(5)
    static let patience = Duration.seconds(10)
    static let slack = Duration.seconds(30)
    /// After it was told to stop.
    static let stopTime = Duration.seconds(3)

    private let start: ContinuousClock.Instant
    private let end: ContinuousClock.Instant
    private var wasBusy = false
    private var lastHeard: ContinuousClock.Instant
    private var stoppedAt: ContinuousClock.Instant?

    init(start: ContinuousClock.Instant, runTime: Duration) {
        self.start = start
        end = start + runTime + Self.slack
        lastHeard = start
    }

    func isOverdue(at now: ContinuousClock.Instant) -> Bool { now >= end }

    mutating func stopped(at now: ContinuousClock.Instant) { stoppedAt = stoppedAt ?? now }

    /// - Parameter isBusy: nil when it did not answer.
    mutating func heard(isBusy: Bool?, at now: ContinuousClock.Instant) -> Verdict {
        if let stoppedAt, now >= stoppedAt + Self.stopTime { return .ended }
        guard let isBusy else { return now >= lastHeard + Self.patience ? .lost : .goOn }
        lastHeard = now
        if isBusy {
            wasBusy = true
            return .goOn
        }
        return wasBusy || stoppedAt != nil || now >= start + Self.settlingTime ? .ended : .goOn
    }
}
