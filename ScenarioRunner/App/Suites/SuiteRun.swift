import Experiments
import Shared
import Verdict

/// Runs a suite: one experiment after the other, each in a system that has come to rest.
///
/// ```
///   settle --> run --> result        next entry: rest, settle, run, ...
///      |        |
///      |        '-- refused --> not tested
///      '-- not well in time --> not tested
/// ```
///
/// What an entry needs of a lab is passed in, so that its order can be tested without one.
struct SuiteRun: Sendable {
    let suite: Suite
    let stopsOnFailure: Bool
    /// Waits until the system is well, at least for the given rest. Returns why it is not; nil when it is.
    let settle: @Sendable (_ rest: Duration) async -> String?
    /// - Throws: ``RefusedRequest`` for what this lab will not run, ``LabError`` when there is no lab any more.
    let run: @Sendable (Suite.Entry) async throws -> Journal
    /// Opens when somebody wants it to end.
    let stop: Latch
    /// Is told of each result as it comes: its number from 1, and the result.
    let report: @Sendable (_ number: Int, SuiteResult.Entry) -> Void

    static let defaultRest = Duration.seconds(10)
    static let stopped = "the suite was stopped before it"
    static let afterFailure = "an experiment before it did not hold, and the suite stops on failure"

    /// Never throws: a lab that is gone leaves the rest not tested, and ``lost`` says so.
    struct Outcome: Sendable {
        var entries: [SuiteResult.Entry] = []
        /// The lab went away.
        var lost: LabError?
        /// Somebody ended it before its last experiment.
        var wasStopped: Bool { entries.contains { $0.notTested == SuiteRun.stopped } }
    }

    /// - Parameter rest: at least this long between two runs.
    func callAsFunction(rest: Duration) async -> Outcome {
        var outcome = Outcome()
        var reasonToSkip: String?
        var hasRun = false
        for (index, entry) in suite.entries.enumerated() {
            if reasonToSkip == nil, stop.isOpen { reasonToSkip = Self.stopped }
            let result: SuiteResult.Entry
            if let reason = reasonToSkip ?? entry.problem {
                result = SuiteResult.Entry(entry.experiment, notTested: reason)
            } else {
                result = await self.result(of: entry, rest: hasRun ? rest : .zero, &outcome)
                hasRun = hasRun || result.journal != nil
            }
            outcome.entries.append(result)
            report(index + 1, result)
            if let lost = outcome.lost { reasonToSkip = "the lab went away: \(lost)" }
            if stopsOnFailure, let verdict = result.journal?.verdict, verdict != .held {
                reasonToSkip = reasonToSkip ?? Self.afterFailure
            }
        }
        return outcome
    }

    private func result(
        of entry: Suite.Entry, rest: Duration, _ outcome: inout Outcome
    ) async -> SuiteResult.Entry {
        let complaint = await settle(rest)
        if stop.isOpen { return SuiteResult.Entry(entry.experiment, notTested: Self.stopped) }
        if let complaint {
            return SuiteResult.Entry(entry.experiment, notTested: "the system did not come to rest: \(complaint)")
        }
        do {
            return SuiteResult.Entry(try await run(entry))
        } catch let lost as LabError {
            outcome.lost = lost
            return SuiteResult.Entry(entry.experiment, notTested: "\(lost)")
        } catch {
            return SuiteResult.Entry(entry.experiment, notTested: "\(error)")
        }
    }
}
