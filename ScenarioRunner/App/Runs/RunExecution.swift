import Experiments
import Foundation
import Load
import Logging
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
    let load: LoadWorkerProcess
    let restock: Restock
    let logger: Logger
    /// Compares the books once the load has ended; nobody looks by default.
    var checkMoney: @Sendable (_ history: [PaymentOperation], _ stop: Latch) async -> MoneyCheck = { _, _ in .init() }

    /// What happens while it runs, for whoever watches.
    enum Progress: Sendable {
        case phase(RunPhase, endsAt: UnixTime?)
        case second(LiveWindow.Second)
        /// The experiment frees its place.
        case faultGone
        /// There never was a fault; the cooldown is given back.
        case noEffect
    }

    /// Room for injection and removal, in which load goes on.
    private static let slack = Duration.seconds(120)
    private static let readingInterval = Duration.seconds(1)

    /// - Parameters:
    ///   - stop: ends the run early; its verdict is aborted then.
    ///   - onProgress: is called from several tasks.
    func run(
        id: String, request: RunRequest, stop: Latch, onProgress: @escaping @Sendable (Progress) -> Void
    ) async -> Journal {
        let recorder = RunRecorder(id: id, request: request, engine: engine.name)
        do {
            if request.isMeasured {
                try await measured(request, recorder, stop, onProgress)
            } else {
                try await fault(request, recorder, stop, onProgress)
            }
        } catch {
            recorder.failed("\(error)")
            logger.error("run failed", metadata: ["run_id": "\(id)", "error": "\(error)"])
        }
        return recorder.journal(stopped: stop.isOpen)
    }

    // MARK: With load

    private func measured(
        _ request: RunRequest, _ recorder: RunRecorder, _ stop: Latch,
        _ onProgress: @escaping @Sendable (Progress) -> Void
    ) async throws {
        let sending = RunRequest.warmUp + request.totalDuration + Self.slack
        try await restock.run(quantity: Int(Double(request.rate) * sending.seconds))
        let loadStop = Latch()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                let order = LoadWorkerProcess.Order(
                    runID: recorder.id, rate: request.rate, atMost: sending, seed: request.seed)
                do {
                    try await load.run(order, stop: loadStop, abort: stop, onSample: recorder.add)
                } catch {
                    // Without load the rest of the run would say nothing.
                    stop.open()
                    throw error
                }
            }
            group.addTask { await publishSeconds(recorder, until: loadStop, onProgress) }
            group.addTask {
                defer { loadStop.open() }
                try await phases(request, recorder, stop, onProgress)
                onProgress(.phase(.settle, endsAt: nil))
            }
            try await group.waitForAll()
        }
        await settle(recorder, stop)
    }

    /// A run that was stopped is not judged, so its books are not either.
    private func settle(_ recorder: RunRecorder, _ stop: Latch) async {
        guard !stop.isOpen else { return }
        recorder.checked(await checkMoney(recorder.operations, stop))
    }

    private func phases(
        _ request: RunRequest, _ recorder: RunRecorder, _ stop: Latch, _ onProgress: @Sendable (Progress) -> Void
    ) async throws {
        guard await !wait(.warmUp, request.warmUpDuration, recorder, stop, onProgress) else {
            return onProgress(.noEffect)
        }
        guard await !wait(.baseline, request.baseline, recorder, stop, onProgress) else { return onProgress(.noEffect) }
        try await fault(request, recorder, stop, onProgress)
        guard !stop.isOpen else { return }
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

    private func publishSeconds(
        _ recorder: RunRecorder, until end: Latch, _ onProgress: @Sendable (Progress) -> Void
    ) async {
        var next = ContinuousClock.now + .seconds(1)
        while await !end.wait(until: next) {
            onProgress(.second(recorder.takeSecond()))
            next += .seconds(1)
        }
    }

    // MARK: The fault

    private func fault(
        _ request: RunRequest, _ recorder: RunRecorder, _ stop: Latch, _ onProgress: @Sendable (Progress) -> Void
    ) async throws {
        recorder.note("fault_injecting", request.experiment.effectiveDoseText)
        let fault: any InjectedFault
        do {
            fault = try await engine.inject(request.experiment, runID: recorder.id, seed: request.seed)
        } catch {
            onProgress(.noEffect)
            throw error
        }
        recorder.inForce(fault.summary)
        onProgress(.phase(.fault, endsAt: .now.advanced(by: request.duration)))
        let readingError = await watch(fault, for: request.duration, recorder, stop)
        recorder.end(.fault)
        // After this line nothing can keep the removal from being tried; a failure is the run's, not only the log's.
        do {
            try await fault.remove()
        } catch {
            recorder.failed("the fault could not be removed: \(error)")
            throw error
        }
        recorder.begin(.recovery)
        recorder.note("fault_removed", fault.summary)
        onProgress(.faultGone)
        if let readingError { throw readingError }
    }

    /// Reads the dose once a second, and once more at the end, when it is complete.
    private func watch(
        _ fault: any InjectedFault, for duration: Duration, _ recorder: RunRecorder, _ stop: Latch
    ) async -> (any Error)? {
        let end = ContinuousClock.now + duration
        do {
            while ContinuousClock.now < end {
                if await stop.wait(until: min(end, .now + Self.readingInterval)) { break }
                recorder.read(try await fault.readings())
            }
            return nil
        } catch {
            return error
        }
    }
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
