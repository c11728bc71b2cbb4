import Foundation
import ServiceTesting
import Shared
import TestSupport
import Testing
import Verdict

@testable import ScenarioRunner

/// Journals outlive the run that is broken off, and the runner that wrote them.
@Suite struct RunHistoryTests {
    private func journals(_ lab: RunnerLab) -> JournalStore {
        JournalStore(folder: lab.folder.runs, logger: LogLines().logger())
    }

    @Test func aRunThatGoesOnHasAJournalThatSaysAborted() async throws {
        try await RunnerLab.run { lab in
            let id = try lab.manager.start(RunnerLab.request(rate: 50, fault: .seconds(600))).id
            try await eventually("the journal of the fault") {
                guard let journal = try? journals(lab).read(id) else { return false }
                return (journal.phase(.fault)?.requests ?? 0) > 0
            }
            let file = lab.folder.runs.appendingPathComponent("\(id).json")
            #expect(try JSONSchema.ofJournals().problems(of: Data(contentsOf: file)) == [])
            let journal = try journals(lab).read(id)
            #expect(journal.verdict == .aborted && journal.reasons == ["the runner ended before the run did"])
            #expect(
                journal.phase(.baseline)?.requests ?? 0 > 0 && journal.events.map(\.name).contains("fault_in_force"))
            #expect(lab.view(id)?.state == .running)
            _ = try lab.manager.stop(id)
            #expect(try await lab.ended(id).journal.reasons.first == "the run was stopped")
            #expect(try journals(lab).read(id).reasons.first == "the run was stopped", "the last word is the run's")
        }
    }

    @Test func theNextRunnerListsThemAndReadsThem() async throws {
        try await RunnerLab.run { lab in
            let id = try lab.manager.start(RunnerLab.request(rate: 50, fault: .milliseconds(1200))).id
            let (view, journal) = try await lab.ended(id)
            try Data("{".utf8).write(to: lab.folder.runs.appendingPathComponent("RUN-broken.json"))
            try Data(#"{"schema_version": 1}"#.utf8).write(
                to: lab.folder.runs.appendingPathComponent("RUN-older.json"))
            let log = LogLines()
            let manager = lab.restarted(logger: log.logger())
            #expect(manager.views.map(\.id) == [id])
            let past = try manager.details(id)
            #expect(past.journal == journal)
            #expect(past.view.state == .finished && past.view.origin == view.origin)
            #expect(past.view.verdict == view.verdict && past.view.reasons == view.reasons)
            #expect(past.view.successRate == view.successRate && past.view.startedAt == journal.startedAt)
            #expect((past.view.endedAt ?? 0) >= journal.startedAt + 1)
            #expect(try manager.stop(id).state == .finished)
            #expect(throws: Problem.self) { try manager.details("RUN-broken") }
            #expect(log.lines.count == 1 && log.text.contains("left out"), "\(log.text)")
        }
    }

    @Test func onlyTheNewestAreRead() async throws {
        try await withTemporaryFolder { folder in
            let log = LogLines()
            let store = JournalStore(folder: folder, logger: log.logger())
            var journal = Journal(
                runID: "", experiment: "x", verdict: .held, reasons: [], seed: 1, startedAt: 0, engine: "plain",
                input: RunInput(
                    baselineS: 1, durationS: 1, recoveryS: 1, rateRps: 1, origin: "api", manifest: "kind: x\n"),
                machine: RunSite(system: RunnerLab.Options().system).machine)
            for number in 0...JournalStore.maxRead {
                journal.runID = String(format: "RUN-%04d", number)
                store.write(journal)
            }
            let ids = store.readNewest().map(\.runID)
            #expect(ids.count == JournalStore.maxRead && ids.first == "RUN-0200" && ids.last == "RUN-0001")
            #expect(log.lines.isEmpty)
            let missing = JournalStore(folder: folder.appendingPathComponent("none"), logger: log.logger())
            #expect(missing.readNewest().isEmpty)
        }
    }
}
