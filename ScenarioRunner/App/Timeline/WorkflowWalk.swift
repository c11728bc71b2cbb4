import Experiments
import Shared

/// Goes through the templates of a workflow.
///
/// ```
///   run(entry, until: end) --Serial--> one child after another
///                          --Parallel--> all children at once
///                          --chaos--> in force until its deadline, the end of what holds it at the latest
///                          --check--> may abort the whole
/// ```
struct WorkflowWalk: Sendable {
    let fault: TimelineFault
    let spec: WorkflowSpec
    let note: @Sendable (String, String) -> Void

    func run(until end: ContinuousClock.Instant) async { await run(spec.entry, until: end) }

    private func run(_ name: String, until outer: ContinuousClock.Instant) async {
        guard let template = spec.template(named: name), !fault.stop.isOpen, ContinuousClock.now < outer else { return }
        let end = template.deadline.map { min(outer, .now + $0) } ?? outer
        switch template.body {
        case .serial(let children):
            for child in children { await run(child, until: end) }
        case .parallel(let children):
            await withTaskGroup(of: Void.self) { group in
                for child in children { group.addTask { await run(child, until: end) } }
            }
        case .suspend:
            _ = await fault.stop.wait(until: end)
        case .chaos:
            guard let part = Timeline.part(template, of: spec, in: fault.timeline.experiment) else { return }
            await fault.act(part, until: end, note)
        case .schedule(let schedule):
            guard let part = Timeline.part(template, of: spec, in: fault.timeline.experiment) else { return }
            await ScheduleWalk(fault: fault, spec: schedule, experiment: part, note: note).run(until: end)
        case .statusCheck(let check, let abortsWorkflow):
            let isWell = await StatusCheckWalk(fault: fault, spec: check).run(until: end)
            // What was broken off has found nothing out.
            guard !fault.stop.isOpen else { return note("status_check", "\(name) was broken off") }
            note("status_check", "\(name) \(isWell ? "succeeded" : "failed")")
            if !isWell, abortsWorkflow { fault.abort("the status check \(name) failed") }
        case .task:
            fault.fail("\(name): a Task runs a container image, which the local lab has none of", note)
        }
    }
}
