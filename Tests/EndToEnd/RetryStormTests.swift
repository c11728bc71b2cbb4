import Foundation
import Shared
import Subprocess
import Testing

/// A fault that ends, and what the system does then: stays down for its own retries, or recovers with a budget. The
/// arithmetic stands in `chaos-experiments/09-retry-storm.yaml`.
@Suite(
    "Retry storm", .serialized,
    .enabled(if: LabProcess.namespacesWork, "this machine refuses namespaces; see scenario-runner doctor"))
struct RetryStormTests {
    /// What the tests read of a journal.
    private struct Storm: Decodable {
        struct Second: Decodable {
            let t: Int
            let requests: Int
            let ok: Int
        }
        struct Money: Decodable {
            let checked: Int
        }
        let verdict: String
        let reasons: [String]
        let recovery_time_ms: Int?
        let metastable: Bool?
        let series: [Second]
        let phases: [JournalView.Phase]
        let money: Money

        /// The share of the requests of the last third of the recovery that succeeded, in percent.
        func successAtTheEnd(of recovery: Int) -> Double {
            let last = series.map(\.t).max() ?? 0
            let end = series.filter { $0.t > last - recovery / 3 }
            let requests = end.reduce(0) { $0 + $1.requests }
            return requests == 0 ? .nan : Double(end.reduce(0) { $0 + $1.ok }) * 100 / Double(requests)
        }
    }

    /// The long form, with `make metastable`, watches for longer.
    private static let isLong = ProcessInfo.processInfo.environment["METASTABLE"] == "long"
    private static let recoverySeconds = isLong ? 40 : 16

    private func run(_ name: String, state: String) async throws -> Storm {
        let run = try await Command.runner(
            // Long enough that one lost request does not make the baseline bad.
            "run", name, "--baseline", Self.isLong ? "10s" : "6s", "--duration", Self.isLong ? "15s" : "8s",
            "--recovery", "\(Self.recoverySeconds)s", "--json", "--state", state)
        #expect([.exited(0), .exited(2)].contains(run.status), "\(name): \(run.error)")
        return try JSONDecoder().decode(Storm.self, from: Data(run.output.utf8))
    }

    @Test(
        "Eager retries keep the system down when the fault is gone; a budget lets it recover", .timeLimit(.minutes(5)))
    func storm() async throws {
        try await LabProcess.withLab { lab in
            let storm = try await run("retry-storm", state: lab.folder.path)
            #expect(storm.verdict == "held", "\(storm.reasons)")
            #expect(storm.recovery_time_ms == nil && storm.metastable == true)
            #expect(storm.successAtTheEnd(of: Self.recoverySeconds) <= 20)
            #expect(storm.phases.first { $0.name == "baseline" }?.success_rate ?? 0 >= 0.99)
            // The storm has gone with its settings: once what it left under way is over, the next run finds the system
            // as it was.
            try await waitUntil("the system has settled", within: .seconds(30)) {
                try await lab.post(lab.state.runner_url + "/api/settled").body["settled"] == .bool(true)
            }
            let calm = try await run("retry-storm-with-budget", state: lab.folder.path)
            #expect(calm.verdict == "held", "\(calm.reasons)")
            #expect(calm.phases.first { $0.name == "baseline" }?.success_rate ?? 0 >= 0.99)
            #expect(calm.metastable == false)
            #expect(calm.successAtTheEnd(of: Self.recoverySeconds) >= 95)
            #expect(calm.money.checked > 0 && storm.money.checked > 0)
        }
    }
}
