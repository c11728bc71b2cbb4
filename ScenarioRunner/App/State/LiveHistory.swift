import DequeModule
import Load
import Shared
import Synchronization

/// The last minutes as the charts of every page draw them: what each load measured, and when the payment failures were
/// changed.
///
/// ```
///   runs, load, Locust --second--.
///                                +--> kept for 5 minutes --> snapshot of a page that opens
///   payment failures ----mark----'            '--> events "second" and "mark" of those that are open
/// ```
final class LiveHistory: Sendable {
    /// A moment at which the payment failures became these.
    struct Mark: Encodable, Sendable, Equatable {
        /// Unix seconds.
        let time: Double
        let failureModes: FailureModes

        enum CodingKeys: String, CodingKey {
            case time
            case failureModes = "failure_modes"
        }
    }

    /// What the charts show, in seconds.
    static let window = 300.0
    /// More than the window of as many loads as there can be at once: three runs, a load and a Locust.
    static let maxSeconds = 2000
    static let maxMarks = 200

    private struct State {
        var seconds: Deque<LiveWindow.Second> = []
        var marks: Deque<Mark> = []

        /// - Parameter now: Unix seconds.
        mutating func forget(at now: Double) {
            let start = now - LiveHistory.window
            while let first = seconds.first, first.time < start || seconds.count > LiveHistory.maxSeconds {
                seconds.removeFirst()
            }
            // The last one before the window says what was switched on when it began.
            while marks.count > LiveHistory.maxMarks || marks.count > 1 && marks[1].time <= start {
                marks.removeFirst()
            }
        }
    }

    private let state = Mutex(State())
    let events: EventHub

    init(events: EventHub) { self.events = events }

    func add(_ second: LiveWindow.Second) {
        state.withLock { state in
            state.seconds.append(second)
            state.forget(at: second.time)
        }
        events.publish("second", second)
    }

    /// - Parameter time: Unix seconds.
    func mark(_ modes: FailureModes, at time: Double = UnixTime.now.seconds) {
        let mark = Mark(time: time, failureModes: modes)
        state.withLock { state in
            state.marks.append(mark)
            state.forget(at: time)
        }
        events.publish("mark", mark)
    }

    /// What is remembered, oldest first.
    ///
    /// - Parameter now: Unix seconds.
    func recent(at now: Double) -> (seconds: [LiveWindow.Second], marks: [Mark]) {
        state.withLock { state in
            state.forget(at: now)
            return (Array(state.seconds), Array(state.marks))
        }
    }
}

extension LiveWindow.Second {
    /// The last second of a load without a fault, which knows nothing of declined cards.
    ///
    /// - Parameter time: when it ended, in Unix seconds.
    init(_ progress: LoadProgress, of loadID: String, at time: Double) {
        let requests = progress.recentRequests
        self.init(
            time: time, runID: loadID, phase: nil, requests: requests,
            successRate: requests > 0 ? Double(progress.recentOk) / Double(requests) : nil, declined: 0,
            p50Ms: progress.recentP50Ms, p95Ms: progress.recentP95Ms, p99Ms: progress.recentP99Ms)
    }

    /// A second of a Locust, whose counts go from its start; nil where it has begun to count anew.
    ///
    /// - Parameter before: what it had counted a second ago; nil in its first second.
    init?(_ locust: LocustSecond, before: LocustSecond?, of runID: String) {
        let requests = locust.requests - (before?.requests ?? 0)
        let failures = locust.failures - (before?.failures ?? 0)
        guard requests >= 0, (0...requests).contains(failures) else { return nil }
        self.init(
            time: locust.time, runID: runID, phase: nil, requests: requests,
            successRate: requests > 0 ? 1 - Double(failures) / Double(requests) : nil, declined: 0,
            p50Ms: locust.p50Ms, p95Ms: locust.p95Ms, p99Ms: nil)
    }
}
