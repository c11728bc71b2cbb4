import Experiments
import Shared

/// Asks the system again and again whether it is well.
struct StatusCheckWalk: Sendable {
    let fault: TimelineFault
    let spec: StatusCheckSpec

    /// - Returns: whether it succeeded: in synchronous mode with the first `successThreshold` successes in a row, in
    ///   continuous mode by not failing until its time is over.
    func run(until outer: ContinuousClock.Instant) async -> Bool {
        let end = spec.duration.map { min(outer, .now + $0) } ?? outer
        var counter = StatusCheckCounter(spec)
        while !fault.stop.isOpen, ContinuousClock.now < end {
            let next = ContinuousClock.now + .seconds(spec.intervalSeconds)
            if let outcome = counter.add(await fault.tools.ask(spec)) { return outcome }
            if await fault.stop.wait(until: min(next, end)) { break }
        }
        return counter.atTheEnd
    }
}

/// Counts answers until they say something: pure.
struct StatusCheckCounter {
    private let spec: StatusCheckSpec
    private var successes = 0
    private var failures = 0

    init(_ spec: StatusCheckSpec) { self.spec = spec }

    /// - Parameter status: of the answer; nil when none came in time.
    /// - Returns: how the check ended; nil when it goes on.
    mutating func add(_ status: Int?) -> Bool? {
        if let status, spec.statusCodes.contains(status) {
            (successes, failures) = (successes + 1, 0)
        } else {
            (successes, failures) = (0, failures + 1)
        }
        if failures >= spec.failureThreshold { return false }
        return spec.mode == .synchronous && successes >= spec.successThreshold ? true : nil
    }

    /// When the time is over without a decision: a synchronous check has not succeeded, a continuous one has not failed.
    var atTheEnd: Bool { spec.mode == .continuous }
}
