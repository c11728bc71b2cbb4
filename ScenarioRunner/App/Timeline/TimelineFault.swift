import Experiments
import Sandbox
import Shared
import Synchronization

/// A workflow, a schedule or failure modes in force: ``work(_:)`` puts part after part in force and takes it away
/// again, until all of it is done, ``abort(_:)`` or ``remove()`` is called.
///
/// Nothing in it is cancelled: every wait ends at an instant or when `stop` opens, so that a part's removal is never
/// cut short.
final class TimelineFault: InjectedFault {
    /// A part that is or was in force.
    private struct Part {
        let fault: any InjectedFault
        /// The last ones.
        var readings: [DoseReading] = []
        /// It is being taken away: what it did is read once more by whoever does that.
        var isLeaving = false
        var isGone = false
    }

    private struct State {
        var parts: [Part] = []
        var failure: StepFailure?
        /// Why the plan ended itself before its time.
        var abortion: String?
        /// Payment failures: steps that were due, and those that the services took up.
        var modeSteps: (due: Int, followed: Int)?
    }

    let timeline: Timeline
    let engine: any ChaosEngine
    let tools: TimelineTools
    let runID: String
    let stop = Latch()
    private let ended = Latch()
    private let state = Mutex(State())

    /// A part of an experiment whose manifest gives it no end.
    static let defaultDuration = Duration.seconds(60)
    /// The parts' own removals, all together.
    private static let removalTime = Duration.seconds(10)
    /// Beyond it a schedule starts nothing more.
    private static let maximumParts = 200

    init(_ timeline: Timeline, engine: any ChaosEngine, tools: TimelineTools, runID: String) {
        self.timeline = timeline
        self.engine = engine
        self.tools = tools
        self.runID = runID
    }

    var summary: String { timeline.experiment.effectiveDoseText }

    /// - Parameter note: is told what begins and ends: a name and a sentence.
    func work(_ note: @escaping @Sendable (String, String) -> Void) async -> FaultWork {
        let start = ContinuousClock.now
        // Each part ends by its own deadline; to put it in force takes time besides.
        let end = start + RunLimits.longestFault
        switch timeline.body {
        case .workflow(let spec): await WorkflowWalk(fault: self, spec: spec, note: note).run(until: end)
        case .schedule(let spec):
            await ScheduleWalk(fault: self, spec: spec, experiment: timeline.experiment, note: note).run(until: end)
        case .failureModes(let spec): await switchModes(spec, from: start, note)
        }
        ended.open()
        if let reason = state.withLock({ $0.abortion }) { return .aborted(reason) }
        return stop.isOpen ? .goesOn : .done
    }

    func readings() async throws -> [DoseReading] {
        for (index, part) in state.withLock({ Array($0.parts.enumerated()) }) where !part.isLeaving {
            do {
                let readings = try await part.fault.readings()
                state.withLock { if !$0.parts[index].isLeaving { $0.parts[index].readings = readings } }
            } catch {
                // It may have gone in its order since.
                guard state.withLock({ $0.parts[index].isLeaving }) else { throw error }
            }
        }
        return try state.withLock { state in
            if let failure = state.failure { throw failure }
            let modes = state.modeSteps.map { [DoseReading.steps(asked: $0.due, done: $0.followed)] } ?? []
            return state.parts.flatMap(\.readings) + modes
        }
    }

    func remove() async throws {
        stop.open()
        _ = await ended.wait(until: .now + Self.removalTime)
        try await together(state.withLock { Array($0.parts.enumerated()) }.filter { !$0.element.isGone }) {
            index, part in
            try await part.fault.remove()
            self.state.withLock { $0.parts[index].isGone = true }
        }
        guard ended.isOpen else { throw StepFailure("a part of \(timeline.experiment.name) has not ended") }
    }

    // MARK: Parts

    /// Puts a part in force, keeps it until `end`, and takes it away.
    func act(_ part: Experiment, until end: ContinuousClock.Instant, _ note: @Sendable (String, String) -> Void) async {
        let number = state.withLock { $0.parts.count }
        guard !stop.isOpen, number < Self.maximumParts else { return }
        do {
            let id = "\(runID)-\(number)-\(part.name)"
            let fault = try await stop.cancelling { [self] in
                try await engine.inject(
                    part, runID: id, seed: timeline.seed(of: part), lasting: ContinuousClock.now.duration(to: end))
            }
            tools.willEnd(id, UnixTime.now.advanced(by: ContinuousClock.now.duration(to: end)))
            let index = state.withLock { state in
                state.parts.append(Part(fault: fault))
                return state.parts.count - 1
            }
            note("part_in_force", "\(part.name): \(fault.summary)")
            _ = await stop.wait(until: end)
            state.withLock { $0.parts[index].isLeaving = true }
            if !stop.isOpen {
                let readings = try await fault.readings()
                state.withLock { $0.parts[index].readings = readings }
            }
            try await fault.remove()
            state.withLock { $0.parts[index].isGone = true }
            note("part_removed", part.name)
        } catch let left as FaultLeftBehind {
            // It has no dose to read; ``remove()`` takes it away with the others.
            state.withLock { $0.parts.append(Part(fault: left.fault, isLeaving: true)) }
            fail("\(part.name): \(left)", note)
        } catch is CancellationError where stop.isOpen {
            note("injection_withdrawn", part.name)
        } catch {
            fail("\(part.name): \(error)", note)
        }
    }

    /// The first failure is the run's; ``remove()`` takes away what is left.
    func fail(_ reason: String, _ note: @Sendable (String, String) -> Void) {
        note("part_failed", reason)
        state.withLock { if $0.failure == nil { $0.failure = StepFailure(reason) } }
    }

    /// Ends the plan before its time: what is in force is taken away, and nothing follows. Nothing happens where it has
    /// been ended already.
    ///
    /// - Parameter reason: a sentence for the verdict's reasons.
    func abort(_ reason: String) {
        state.withLock { if !stop.isOpen, $0.abortion == nil { $0.abortion = reason } }
        stop.open()
    }

    // MARK: Failure modes

    private func switchModes(
        _ spec: FailureModesSpec, from start: ContinuousClock.Instant, _ note: @Sendable (String, String) -> Void
    ) async {
        for step in spec.steps {
            if await stop.wait(until: start + step.offset) { break }
            tools.setFailureModes(step.modes)
            await FaultHook.reached(.modesSwitched)
            note("failure_modes", step.modes.text)
            state.withLock { $0.modeSteps = (($0.modeSteps?.due ?? 0) + 1, $0.modeSteps?.followed ?? 0) }
            // The services wait for a change, so they take it up within moments.
            let limit = ContinuousClock.now + .seconds(5)
            while !tools.areModesFollowed(), ContinuousClock.now < limit {
                if await stop.wait(until: .now + .milliseconds(20)) { break }
            }
            guard tools.areModesFollowed() else { continue }
            state.withLock { $0.modeSteps?.followed += 1 }
            await FaultHook.reached(.modesTakenUp)
        }
        _ = await stop.wait(until: start + spec.duration)
        tools.setFailureModes(.off)
        await FaultHook.reached(.modesOff)
        note("failure_modes", FailureModes.off.text)
    }
}

/// What kept a part of a timeline from being carried out.
struct StepFailure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
