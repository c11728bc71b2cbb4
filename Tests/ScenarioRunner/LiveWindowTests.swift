import Experiments
import Foundation
import Shared
import Testing

@testable import ScenarioRunner

@Suite struct LiveWindowTests {
    private let window = LiveWindow()

    private func add(ms: UInt64, _ outcome: RequestSample.Outcome = .status(200)) {
        window.add(
            RequestSample(
                endpoint: "chain", intendedNs: 0, sendDelayNs: 0, latencyNs: ms * 1_000_000, outcome: outcome))
    }

    @Test func aSecondSumsUpWhatEndedInIt() {
        for ms in UInt64(1)...98 { add(ms: ms) }
        add(ms: 500, .timedOut)
        add(ms: 400, .status(402))
        let second = window.take(runID: "RUN-1", phase: .fault).second
        #expect(second.requests == 100 && second.successRate == 0.99, "a declined card is an answer")
        #expect(second.declined == 1 && second.p50Ms == 51 && second.p95Ms == 96 && second.p99Ms == 500)
        #expect(second.runID == "RUN-1" && second.phase == .fault)
    }

    @Test func theNextSecondStartsEmpty() throws {
        add(ms: 5, .connectionFailed)
        #expect(window.take(runID: "RUN-1", phase: nil).second.successRate == 0)
        let empty = window.take(runID: "RUN-1", phase: nil).second
        #expect(empty.requests == 0 && empty.successRate == nil && empty.p50Ms == nil && empty.p95Ms == nil)
        let json = try JSONDecoder().decode(JSONValue.self, from: JSONEncoder().encode(empty))
        for member in ["phase", "success_rate", "p50_ms", "p95_ms", "p99_ms"] {
            #expect(json[member] == .null, "\(member)")
        }
    }

    @Test func aFloodIsCountedByASample() {
        for _ in 0..<20_001 { add(ms: 1) }
        #expect(window.take(runID: "RUN-1", phase: nil).second.requests == 20_000)
    }
}
