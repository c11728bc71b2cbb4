import Experiments
import Foundation
import Load
import Logging
import ServiceLifecycle
import Shared
import Synchronization
import Verdict

/// One run, from the restock to the journal.
///
/// ```
///   load:   |--------------------------- constant rate ---------------------------|  drains
///   fault:                               |-- in force --|
///   phases: | warm-up | baseline | (inject) | fault | (remove) | recovery | settle
/// ```
///
/// The fault is always removed: when the run is stopped, when a step fails, when the runner ends.
struct RunExecution: Sendable {
    let engine: any ChaosEngine
    let load: any RunLoad
    /// Fills the stock up by this quantity of each product, so that no run fails because the shop is empty.
    let restock: @Sendable (_ quantity: Int) async throws -> Void
    let logger: Logger
    /// Where all this is.
    let site: RunSite
    /// Compares the books once the load has ended.
    let checkMoney: @Sendable (_ history: [PaymentOperation], _ stop: Latch) async -> MoneyCheck
    /// A look at the books while the system works: whether they are right so far; nil when they could not be read.
    var glanceAtMoney: @Sendable () async -> Bool? = { nil }
    /// What waits in the system now; nil when it cannot be told.
    var glanceAtBacklog: @Sendable () async -> BacklogGlance? = { nil }
    /// Is told when the baseline of a run begins; nil where the fault's maker counts what it does.
    var witness: PathWitness?
    /// Sets the resilience of the services for the time of a run that asks for it.
    let resilience: ResilienceSwitch
    /// How long a fault that does not go is asked to go again.
    var removalTime = Duration.seconds(60)

    /// What happens while it runs, for whoever watches.
    enum Progress: Sendable {
        case phase(RunPhase, endsAt: UnixTime?)
        case second(LiveWindow.Second)
        /// It could not be put in force; what it has left is still to be taken back.
        case injectionFailed(any Error)
        /// The experiment frees its place.
        case faultGone
        /// It could not be removed, and nobody tries any more.
        case faultStays
        /// There never was a fault; the cooldown is given back.
        case noEffect
    }

    /// Room for injection and removal, in which load goes on.
    private static let slack = Duration.seconds(120)
    private static let readingInterval = Duration.seconds(1)
    private static let removalPause = Duration.milliseconds(500)

    /// - Parameters:
    ///   - signal: ends the run early; its verdict is aborted then. Cancelling the task gives it too.
    ///   - keep: is told the journal as it stands, from the start on: what is left when the runner ends before the run.
    ///   - onProgress: is called from several tasks.
    func run(
        id: String, request: RunRequest, stop signal: StopSignal, keep: @escaping @Sendable (Journal) -> Void,
        onProgress: @escaping @Sendable (Progress) -> Void
    ) async -> Journal {
        let recorder = RunRecorder(
            id: id, request: request, engine: engine.name, resilience: request.resilience ?? resilience.current,
            site: site,
            plan: try? engine.plan(request.experiment, seed: request.seed))
        // A run that is cancelled is stopped: it takes its fault away and writes down what came of it.
        await withTaskCancellationHandler {
            await uncancelled {
                await JournalKeeper(recorder: recorder, keep: keep).keeping {
                    await recording(recorder) {
                        if request.isMeasured {
                            try await measured(request, recorder, signal, onProgress)
                        } else {
                            try await fault(request, recorder, signal, onProgress)
                        }
                    }
                }
            }
        } onCancel: {
            signal.stop("the run was stopped")
        }
        return recorder.journal(stopped: signal.reason)
    }

    /// Runs a step whose failure is the run's.
    private func recording(_ recorder: RunRecorder, _ step: () async throws -> Void) async {
        do {
            try await step()
        } catch {
            recorder.failed("\(error)")
            logger.error("run failed", metadata: ["run_id": "\(recorder.id)", "error": "\(error)"])
        }
    }

    // MARK: With load

    private func measured(
        _ request: RunRequest, _ recorder: RunRecorder, _ signal: StopSignal,
        _ onProgress: @escaping @Sendable (Progress) -> Void
    ) async throws {
        let stop = signal.latch
        let sending = RunRequest.warmUp + request.totalDuration + Self.slack
        do {
            try await fillUp(Int(Double(request.rate) * sending.seconds), unless: stop)
        } catch {
            onProgress(.noEffect)
            throw error
        }
        guard !stop.isOpen else { return onProgress(.noEffect) }
        await BacklogWatch(recorder: recorder, glance: glanceAtBacklog).watching {
            await withResilience(request, recorder, onProgress) {
                await loaded(request, recorder, signal, sending, onProgress)
            }
            await settle(recorder, stop)
        }
    }

    /// Runs `body` with the resilience that the run asks for. What was before is back when the books are looked at: what
    /// a storm has left open is settled without it.
    private func withResilience(
        _ request: RunRequest, _ recorder: RunRecorder, _ onProgress: @Sendable (Progress) -> Void,
        _ body: () async -> Void
    ) async {
        guard let wanted = request.resilience else { return await body() }
        let before = resilience.current
        recorder.note("resilience", "\(wanted)")
        if await resilience.put(wanted) {
            await body()
        } else {
            onProgress(.noEffect)
            recorder.failed("not every replica has taken up the resilience settings: \(wanted)")
        }
        _ = await resilience.put(before)
        recorder.note("resilience", "\(before)")
    }

    /// The phases under load, until the load has ended.
    private func loaded(
        _ request: RunRequest, _ recorder: RunRecorder, _ signal: StopSignal, _ sending: Duration,
        _ onProgress: @escaping @Sendable (Progress) -> Void
    ) async {
        let stop = signal.latch
        let loadStop = Latch()
        // No child throws: one that did would cancel the others, and with them the removal of the fault.
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                let order = LoadOrder(
                    runID: recorder.id, rate: request.rate, atMost: sending, seed: request.seed,
                    profile: request.profile, arrivals: request.arrivals)
                await recording(recorder) { try await send(order, until: loadStop, stop, recorder) }
            }
            group.addTask {
                await RunWatch(
                    recorder: recorder, conditions: request.stopConditions, signal: signal,
                    glanceAtMoney: glanceAtMoney
                ).run(until: loadStop, onProgress)
            }
            group.addTask {
                await recording(recorder) { try await phases(request, recorder, signal, onProgress) }
                onProgress(.phase(.settle, endsAt: nil))
                loadStop.open()
            }
        }
    }

    private func fillUp(_ quantity: Int, unless stop: Latch) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await restock(quantity) }
            group.addTask { await stop.wait() }
            try await group.next()
            group.cancelAll()
        }
    }

    private func send(_ order: LoadOrder, until end: Latch, _ stop: Latch, _ recorder: RunRecorder) async throws {
        do {
            recorder.loaded(try await load.run(order, stop: end, abort: stop, onSample: recorder.add))
        } catch {
            // Whoever stops a run breaks its load off.
            guard !stop.isOpen else { return }
            // Without load the rest of the run would say nothing.
            stop.open()
            throw error
        }
    }

    /// A run that was stopped or that failed is not judged, so its books are not either.
    private func settle(_ recorder: RunRecorder, _ stop: Latch) async {
        guard !stop.isOpen, !recorder.hasFailed else { return }
        recorder.checked(await checkMoney(recorder.operations, stop))
    }

    private func phases(
        _ request: RunRequest, _ recorder: RunRecorder, _ signal: StopSignal,
        _ onProgress: @Sendable (Progress) -> Void
    ) async throws {
        let stop = signal.latch
        guard await !wait(.warmUp, request.warmUpDuration, recorder, stop, onProgress) else {
            return onProgress(.noEffect)
        }
        await witness?.begin(recorder.id)
        defer { witness?.end(recorder.id) }
        guard await !wait(.baseline, request.baseline, recorder, stop, onProgress) else { return onProgress(.noEffect) }
        try await fault(request, recorder, signal, onProgress)
        guard !stop.isOpen, !recorder.hasFailed else { return }
        _ = await wait(.recovery, request.recovery, recorder, stop, onProgress)
    }

    /// Waits for the time of a phase and notes when it was.
    ///
    /// - Returns: whether the run is to stop.
    private func wait(
        _ phase: RunPhase, _ duration: Duration, _ recorder: RunRecorder, _ stop: Latch,
        _ onProgress: @Sendable (Progress) -> Void
    ) async -> Bool {
        recorder.begin(phase)
        onProgress(.phase(phase, endsAt: .now.advanced(by: duration)))
        let stopped = await stop.wait(until: .now + duration)
        recorder.end(phase)
        return stopped
    }

    // MARK: The fault

    private func fault(
        _ request: RunRequest, _ recorder: RunRecorder, _ signal: StopSignal,
        _ onProgress: @Sendable (Progress) -> Void
    ) async throws {
        let stop = signal.latch
        guard !stop.isOpen else { return onProgress(.noEffect) }
        recorder.note("fault_injecting", request.experiment.effectiveDoseText)
        let fault: any InjectedFault
        do {
            fault = try await stop.cancelling {
                try await engine.inject(
                    request.experiment, runID: recorder.id, seed: request.seed, lasting: request.duration)
            }
        } catch let left as FaultLeftBehind {
            onProgress(.injectionFailed(left))
            try await takeBack(left, recorder, onProgress)
            throw RunFailure("the fault could not be put in force: \(left.injection)")
        } catch {
            onProgress(.noEffect)
            // Half-way in, and taken back because the run is to stop.
            if stop.isOpen, error is CancellationError { return recorder.note("injection_withdrawn", "by a stop") }
            onProgress(.injectionFailed(error))
            throw RunFailure("the fault could not be put in force: \(error)")
        }
        recorder.inForce(fault.summary)
        onProgress(.phase(.fault, endsAt: .now.advanced(by: request.duration)))
        try await withThrowingTaskGroup(of: Void.self) { group in
            let isDone = Latch()
            group.addTask {
                switch await fault.work(recorder.note) {
                case .goesOn: break
                case .done: isDone.open()
                case .aborted(let reason): signal.stop(reason)
                }
            }
            try await hold(fault, for: request.duration, unless: isDone, recorder, stop, onProgress)
        }
    }

    /// Keeps the fault in force for its time and takes it away. Nothing before the removal throws.
    private func hold(
        _ fault: any InjectedFault, for duration: Duration, unless isDone: Latch, _ recorder: RunRecorder,
        _ stop: Latch, _ onProgress: @Sendable (Progress) -> Void
    ) async throws {
        let readingFailure = await watch(fault, for: duration, unless: isDone, recorder, stop)
        if let readingFailure { recorder.failed(readingFailure.description) }
        recorder.end(.fault)
        do {
            try await remove(fault, recorder)
        } catch {
            onProgress(.faultStays)
            throw error
        }
        recorder.begin(.recovery)
        recorder.note("fault_removed", fault.summary)
        onProgress(.faultGone)
    }

    /// What a failed injection has left is taken away as any fault is.
    private func takeBack(
        _ left: FaultLeftBehind, _ recorder: RunRecorder, _ onProgress: @Sendable (Progress) -> Void
    ) async throws {
        recorder.note("removal_failed", "\(left.removal)")
        do {
            try await remove(left.fault, recorder)
        } catch {
            onProgress(.faultStays)
            throw error
        }
        onProgress(.noEffect)
    }

    /// Takes the fault away, and does not give up at the first failure: what is said to be gone must be.
    private func remove(_ fault: any InjectedFault, _ recorder: RunRecorder) async throws {
        let deadline = ContinuousClock.now + removalTime
        while true {
            do {
                return try await fault.remove()
            } catch {
                guard ContinuousClock.now < deadline, !Task.isShuttingDownGracefully else {
                    throw RunFailure("the fault could not be removed: \(error)")
                }
                recorder.note("removal_failed", "\(error)")
                try? await Task.sleep(for: Self.removalPause)
            }
        }
    }

    /// Reads the dose once a second, and once more at the end, when it is complete. What cannot be read is not waited
    /// for either, but for trouble that passes: until then, the last reading holds.
    private func watch(
        _ fault: any InjectedFault, for duration: Duration, unless isDone: Latch, _ recorder: RunRecorder,
        _ stop: Latch
    ) async -> RunFailure? {
        let end = ContinuousClock.now + duration
        var patience = ReadingPatience()
        do {
            while ContinuousClock.now < end, !isDone.isOpen {
                if await stop.wait(until: min(end, .now + Self.readingInterval)) { return nil }
                do {
                    recorder.read(try await stop.cancelling { try await fault.readings() })
                    patience.succeeded()
                } catch {
                    let isFirst = !patience.isTried
                    guard patience.bears(error, at: .now) else { throw error }
                    if isFirst { recorder.note("dose_unreadable", "\(error)") }
                }
            }
            return nil
        } catch {
            // Nobody waits for the dose of a fault that is to go at once, nor for one that is being read.
            if stop.isOpen, error is CancellationError { return nil }
            return RunFailure("the dose could not be read: \(error)")
        }
    }
}

/// What kept a run from being carried out, in words for the verdict's reasons.
struct RunFailure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

extension RunRequest {
    /// No longer than the baseline: a short run is for trying things out.
    fileprivate var warmUpDuration: Duration { min(Self.warmUp, baseline) }
}

extension UnixTime {
    func advanced(by duration: Duration) -> UnixTime {
        UnixTime(milliseconds: milliseconds + duration.nanoseconds / 1_000_000)
    }
}
