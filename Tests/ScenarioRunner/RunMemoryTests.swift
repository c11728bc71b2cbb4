import Experiments
import Foundation
import Shared
import Testing
import Verdict

@testable import ScenarioRunner

/// What the largest run that is admitted costs the runner: what `docs/scale.md` and the runner's memory limit rest on.
@Suite(
    .enabled(if: ProcessInfo.processInfo.environment["RUN_MEMORY"] != nil, "make bench-memory measures"))
struct RunMemoryTests {
    /// Of the manifest's 1024Mi; the rest is for two more runs, which keep their samples too, for the books, and for the
    /// processes that make the load.
    private static let mostMiB = 550

    /// The most memory that this process ever had, in MiB.
    private static func peak() throws -> Int {
        let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") })
        return try #require(Int(line.split(separator: " ").dropLast().last ?? "")) / 1024
    }

    @Test func theLargestRunLeavesRoom() throws {
        let recorder = RunRecorder(
            id: "RUN-1", request: try RunnerLab.request(rate: RunLimits.rates.upperBound), engine: "none",
            resilience: .fallback, site: RunSite(system: RunnerLab.Options().system), plan: nil)
        let before = try Self.peak()
        for (phase, share) in [(RunPhase.baseline, 4), (.fault, 2), (.recovery, 4)] {
            recorder.begin(phase)
            for number in 0..<(RunLimits.requests / share) { recorder.add(try Self.payment(number)) }
            recorder.end(phase)
        }
        let samples = try Self.peak()
        _ = recorder.unfinishedJournal()
        #expect(recorder.operations.count == RunLimits.requests)
        #expect(recorder.journal(stopped: nil).phases.map(\.requests).reduce(0, +) == RunLimits.requests)
        let peak = try Self.peak()
        let text = "\(RunLimits.requests) payments: \(before) MiB before, \(samples) with them, \(peak) at most\n"
        FileHandle.standardError.write(Data(text.utf8))
        #expect(peak < Self.mostMiB)
    }

    /// As a load worker tells it; the names are those of real ones in their length.
    private static func payment(_ number: Int) throws -> RequestSample {
        let line = """
            {"e": "process", "i": \(MonotonicClock.nowNs()), "d": 1000, "l": \(5_000_000 + number % 1000), "s": 200,
             "r": "payment-\(number % 3)",
             "p": {"k": "\(UUID().uuidString)", "p": "\(Identifier.make(prefix: "PAY"))", "a": 1999, "c": "USD"}}
            """
        return try JSONDecoder().decode(RequestSample.self, from: Data(line.utf8))
    }
}
