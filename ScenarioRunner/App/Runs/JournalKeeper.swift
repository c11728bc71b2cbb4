import Experiments
import Shared
import Verdict

/// Keeps the journal of a run that goes on: at its start, when its phase changes, and every few seconds.
///
/// Whoever ends the runner with SIGKILL leaves the last one behind: a whole journal of what was measured so far, whose
/// verdict is aborted.
struct JournalKeeper: Sendable {
    let recorder: RunRecorder
    let keep: @Sendable (Journal) -> Void

    private static let lookPeriod = Duration.milliseconds(100)
    private static let period = Duration.seconds(3)
    /// Making a journal of many samples takes time that the system under test does without: at most a twentieth.
    private static let pausePerWriting = 20

    /// Keeps it while `body` runs; the last word is the caller's.
    func keeping(_ body: @escaping @Sendable () async -> Void) async {
        let end = Latch()
        keep(recorder.unfinishedJournal())
        await withTaskGroup(of: Void.self) { group in
            group.addTask(priority: .background) { await keep(until: end) }
            await body()
            end.open()
        }
    }

    private func keep(until end: Latch) async {
        var phase = recorder.phase
        var (quiet, due) = (ContinuousClock.now, ContinuousClock.now + Self.period)
        while await !end.wait(until: .now + Self.lookPeriod) {
            let start = ContinuousClock.now
            guard start >= due || (recorder.phase != phase && start >= quiet) else { continue }
            phase = recorder.phase
            keep(recorder.unfinishedJournal())
            let ended = ContinuousClock.now
            quiet = ended + (ended - start) * Self.pausePerWriting
            due = max(quiet, ended + Self.period)
        }
    }
}
