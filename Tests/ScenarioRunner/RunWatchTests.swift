import Experiments
import Shared
import Synchronization
import TestSupport
import Testing
import Verdict

@testable import ScenarioRunner

/// A run ends itself when one of its stop conditions comes true.
@Suite struct RunWatchTests {
    private func watch(
        _ conditions: [StopCondition], phase: RunPhase, outcome: RequestSample.Outcome, money: Bool? = nil
    ) async throws -> (signal: StopSignal, end: Latch, run: Task<Void, Never>) {
        let recorder = RunRecorder(
            id: "RUN", request: try RunnerLab.request(), engine: "fake", resilience: .fallback,
            site: RunSite(system: RunnerLab.Options().system), plan: nil)
        recorder.begin(phase)
        let (signal, end) = (StopSignal(), Latch())
        let watch = RunWatch(
            recorder: recorder, conditions: conditions, signal: signal, glanceAtMoney: { money })
        let run = Task {
            await watch.run(until: end) { _ in
                recorder.add(
                    RequestSample(
                        endpoint: "process", intendedNs: 0, sendDelayNs: 0, latencyNs: 1_000_000, outcome: outcome))
            }
        }
        return (signal, end, run)
    }

    @Test func usersThatSufferTooMuchEndIt() async throws {
        let conditions = try StopCondition.parseList("success < 10% for 1s")
        let (signal, end, run) = try await watch(conditions, phase: .fault, outcome: .timedOut)
        try await eventually("the stop") { signal.latch.isOpen }
        #expect(signal.reason == "its stop condition came true: success < 10% for 1s")
        end.open()
        await run.value
    }

    @Test func aWarmUpIsNobodysBusiness() async throws {
        let conditions = try StopCondition.parseList("success < 10% for 1s")
        let (signal, end, run) = try await watch(conditions, phase: .warmUp, outcome: .timedOut)
        #expect(await !signal.latch.wait(until: .now + .seconds(4)))
        end.open()
        await run.value
    }

    @Test func moneyThatIsWrongEndsIt() async throws {
        let (signal, end, run) = try await watch([.moneyIsWrong], phase: .fault, outcome: .status(200), money: false)
        try await eventually("the stop") { signal.latch.isOpen }
        #expect(signal.reason == "its stop condition came true: money wrong")
        end.open()
        await run.value
    }
}
