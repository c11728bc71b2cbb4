import Experiments
import Foundation
import Load
import Shared
import Testing

@testable import ScenarioRunner

/// The process that makes a load, and how it may end.
@Suite(.timeLimit(.minutes(1))) struct LoadWorkerProcessTests {
    /// As main does: a peer that goes away is an error of one write.
    init() { signal(SIGPIPE, SIG_IGN) }

    private func run(_ command: [String], stop: Latch, abort: Latch = Latch()) async throws {
        // More than a pipe holds, so that the order is still being written when its reader goes away.
        let text = "name: look\nrequests: [{name: look, path: /look}]\n# \(String(repeating: "x", count: 200_000))\n"
        let system = SystemUnderTest(
            replicas: { [] }, targets: .init(all: "http://127.0.0.1:1"), executable: "/nowhere", place: { _ in command }
        )
        let order = LoadWorkerOrder(
            try LoadProfile.load(text, file: "look.yaml"), shape: LoadShape(), seed: 1, runID: "LOAD-1",
            targets: system.targets)
        try await LoadWorkerProcess(system: system).run(order, stop: stop, abort: abort) { _ in }
    }

    @Test func oneThatIsStoppedBeforeItHasReadItsOrderEndsInOrder() async throws {
        let stop = Latch()
        stop.open()
        try await run(["/bin/sleep", "600"], stop: stop)
    }

    @Test func oneThatEndsByItselfWithoutAWordIsAFailure() async throws {
        let failed = await #expect(throws: LabError.self) { try await run(["/bin/false"], stop: Latch()) }
        #expect(failed?.description.contains("the load generator ended with") == true)
        await #expect(throws: LabError.self) { try await run(["/bin/sh", "-c", "kill -TERM $$"], stop: Latch()) }
    }
}
