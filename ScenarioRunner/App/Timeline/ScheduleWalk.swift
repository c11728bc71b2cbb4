import Experiments
import Foundation
import Shared
import Synchronization

/// Starts the same experiment at every time of a schedule.
struct ScheduleWalk: Sendable {
    let fault: TimelineFault
    let spec: ScheduleSpec
    /// The schedule itself.
    let experiment: Experiment
    let note: @Sendable (String, String) -> Void

    func run(until end: ContinuousClock.Instant) async {
        let part = Timeline.part(spec, in: experiment)
        let underWay = Counter()
        await withDiscardingTaskGroup { group in
            var after = Date()
            while let due = spec.schedule.next(after: after) {
                after = due
                // Times of day are the wall clock's; the wait is not.
                let start = ContinuousClock.now + .seconds(max(0, due.timeIntervalSinceNow))
                guard start < end, await !fault.stop.wait(until: start) else { return }
                let late = Date().timeIntervalSince(due)
                if let limit = spec.startingDeadlineSeconds, late > Double(limit) {
                    note("start_left_out", "\(part.name) would start \(Int(late)) s late")
                } else if spec.concurrencyPolicy == .forbid, underWay.count > 0 {
                    note("start_left_out", "\(part.name) is still under way")
                } else {
                    underWay.add(1)
                    group.addTask {
                        await begin(part, until: end)
                        underWay.add(-1)
                    }
                }
            }
        }
    }

    private func begin(_ part: Experiment, until outer: ContinuousClock.Instant) async {
        let end = min(outer, .now + (part.duration ?? TimelineFault.defaultDuration))
        if case .workflow(let workflow) = part.spec {
            await WorkflowWalk(fault: fault, spec: workflow, note: note).run(until: end)
        } else {
            await fault.act(part, until: end, note)
        }
    }
}

/// How many starts are under way.
private final class Counter: Sendable {
    private let value = Atomic<Int>(0)
    var count: Int { value.load(ordering: .relaxed) }
    func add(_ difference: Int) { value.add(difference, ordering: .relaxed) }
}
