import Experiments
import Load
import Shared
import Verdict

/// What puts the load of a run on the system: a worker process in the lab.
protocol RunLoad: Sendable {
    /// Sends requests until `stop` opens and what was under way has ended; not that long once `abort` is open.
    ///
    /// - Parameter onSample: is called once for every request, from any task.
    /// - Returns: what the generator says about itself; nil when it was killed.
    /// - Throws: ``LabError`` when there is no load any more although nobody opened `stop` or `abort`.
    func run(
        _ order: LoadOrder, stop: Latch, abort: Latch, onSample: @escaping @Sendable (RequestSample) -> Void
    ) async throws -> LoadFacts?
}

/// What a run asks of its load.
struct LoadOrder: Sendable, Equatable {
    let runID: String
    /// Requests a second.
    let rate: Int
    /// The longest it may send; it is told to stop before.
    let atMost: Duration
    let seed: UInt64
    var profile = LoadProfile.usual
    var arrivals = ArrivalSchedule.Arrivals.constant
}
