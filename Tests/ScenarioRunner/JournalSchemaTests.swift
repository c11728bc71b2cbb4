import Experiments
import Foundation
import Sandbox
import ServiceTesting
import Testing
import Verdict

@testable import ScenarioRunner

/// Journals that real runs leave on disk are as `docs/journal.schema.json` says.
@Suite struct JournalSchemaTests {
    @Test(arguments: [0, 50])
    func ofARunThatCameToItsEnd(rate: Int) async throws {
        try await RunnerLab.run { lab in
            let request = try RunnerLab.request(
                rate: rate, baseline: .milliseconds(1200), fault: .milliseconds(1200), recovery: .milliseconds(1200))
            let (_, journal) = try await lab.ended(try lab.manager.start(request).id)
            let file = lab.folder.runs.appendingPathComponent("\(journal.runID).json")
            #expect(try JSONSchema.ofJournals().problems(of: Data(contentsOf: file)) == [])
            #expect(try Journal(json: Data(contentsOf: file)) == journal)
            #expect(journal.input.rateRps == Double(rate) && journal.input.durationS == 1.2)
            #expect(journal.input.resilience == "naive")
            #expect(journal.input.origin == "command-line" && journal.input.manifest.contains("name: loss-a"))
            #expect(journal.machine.cores > 0 && journal.machine.memoryBytes > 0 && !journal.machine.kernel.isEmpty)
            #expect(journal.topology.services.map(\.name).contains("payment-service"))
            #expect(journal.topology.broken.map(\.from) == ["loss-a"])
        }
    }

    @Test func ofARunThatFailed() async throws {
        var options = RunnerLab.Options()
        options.engine = FakeEngine(.init(injection: "nft is stuck"))
        try await RunnerLab.run(options) { lab in
            let (_, journal) = try await lab.ended(try lab.manager.start(RunnerLab.request(rate: 50)).id)
            #expect(try JSONSchema.ofJournals().problems(of: journal.json()) == [])
        }
    }

    @Test func theSiteTellsWhatTheDoctorFound() {
        let site = RunSite(
            findings: { [Finding(name: "nft", status: .missing, detail: "absent", remedy: "install it")] },
            system: RunnerLab.Options().system)
        #expect(site.doctor == ["nft": DoctorFinding(status: "missing", detail: "absent", remedy: "install it")])
        let paths = site.topology.paths.map { "\($0.from) -> \($0.to)" }
        #expect(
            paths == [
                "client -> payment-service", "payment-service -> inventory-service",
                "payment-service -> notification-service",
            ])
    }
}
