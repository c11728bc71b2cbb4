import Experiments
import Foundation
import Shared
import Synchronization
import Testing
import Verdict

@testable import ScenarioRunner

/// The order of a suite, with runs that are over at once.
@Suite struct SuiteRunTests {
    private final class Record: Sendable {
        private let names = Mutex<[String]>([])
        func add(_ name: String) { names.withLock { $0.append(name) } }
        var all: [String] { names.withLock { $0 } }
    }

    private static let suite = """
        experiments: [one, two, three, four]
        """

    /// - Parameter verdicts: of each experiment; one without is refused by the lab.
    private func run(
        _ verdicts: [String: Verdict], stopsOnFailure: Bool = false, stop: Latch = Latch(),
        settle: @escaping @Sendable (Duration) async -> String? = { _ in nil },
        before: @escaping @Sendable (String) throws -> Void = { _ in }
    ) async throws -> (outcome: SuiteRun.Outcome, log: [String]) {
        let record = Record()
        let run = SuiteRun(
            suite: try Suite(yaml: Self.suite, file: "suite.yaml"), stopsOnFailure: stopsOnFailure,
            settle: { rest in
                record.add("rest \(Int(rest.seconds))")
                return await settle(rest)
            },
            run: { entry in
                record.add(entry.experiment)
                try before(entry.experiment)
                guard let verdict = verdicts[entry.experiment] else {
                    throw RefusedRequest(description: "a.yaml:3: spec.mode: only on a cluster")
                }
                return Self.journal(entry.experiment, verdict)
            }, stop: stop, report: { number, entry in record.add("\(number) \(entry.experiment)") })
        return (await run(rest: .seconds(5)), record.all)
    }

    private static func journal(_ experiment: String, _ verdict: Verdict) -> Journal {
        Journal(
            runID: "RUN-1", experiment: experiment, verdict: verdict, reasons: ["because"], seed: 1, startedAt: 1,
            engine: "fake",
            input: RunInput(baselineS: 1, durationS: 1, recoveryS: 1, rateRps: 1, origin: "command-line", manifest: ""),
            machine: RunMachine(kernel: "6.1", cores: 2, memoryBytes: 1, programVersion: "1"))
    }

    @Test func aDeviationEndsNothing() async throws {
        let (outcome, log) = try await run(["one": .held, "two": .deviated, "four": .held])
        #expect(outcome.entries.map(\.experiment) == ["one", "two", "three", "four"])
        #expect(outcome.entries.map { $0.journal?.verdict } == [.held, .deviated, nil, .held])
        #expect(outcome.entries[2].notTested == "a.yaml:3: spec.mode: only on a cluster")
        #expect(
            log == [
                "rest 0", "one", "1 one", "rest 5", "two", "2 two", "rest 5", "three", "3 three", "rest 5", "four",
                "4 four",
            ])
    }

    @Test func itStopsOnFailureWhereItShould() async throws {
        let (outcome, log) = try await run(["one": .held, "two": .invalid, "three": .held], stopsOnFailure: true)
        #expect(outcome.entries.map { $0.notTested } == [nil, nil, SuiteRun.afterFailure, SuiteRun.afterFailure])
        #expect(!log.contains("three"))
    }

    @Test func whoeverStopsItGetsTheRestAsNotTested() async throws {
        let stop = Latch()
        let (outcome, log) = try await run(["one": .held, "two": .aborted], stop: stop) { _ in
            nil
        } before: { name in
            if name == "two" { stop.open() }
        }
        #expect(outcome.entries.map { $0.journal?.verdict } == [.held, .aborted, nil, nil])
        #expect(outcome.entries.dropFirst(2).allSatisfy { $0.notTested == SuiteRun.stopped } && outcome.wasStopped)
        #expect(!log.contains("three"))
    }

    @Test func aStopWhileItRestsStartsNothingMore() async throws {
        let stop = Latch()
        let (outcome, _) = try await run(["one": .held, "two": .held], stop: stop) { rest in
            if rest > .zero { stop.open() }
            return nil
        }
        #expect(outcome.entries.map { $0.notTested } == [nil] + Array(repeating: SuiteRun.stopped, count: 3))
    }

    @Test func whatDoesNotComeToRestIsNotTested() async throws {
        let (outcome, log) = try await run(["one": .held, "two": .held]) { rest in
            rest > .zero ? "payment-0 is down" : nil
        }
        #expect(outcome.entries[1].notTested == "the system did not come to rest: payment-0 is down")
        #expect(log.filter { $0 == "two" }.isEmpty && outcome.lost == nil)
    }

    @Test func aLabThatIsGoneEndsIt() async throws {
        let (outcome, log) = try await run(["one": .held]) { _ in
            nil
        } before: { name in
            if name == "two" { throw LabError("the lab does not answer") }
        }
        #expect(outcome.lost?.description == "the lab does not answer")
        #expect(outcome.entries.count == 4 && outcome.entries[3].notTested?.contains("does not answer") == true)
        #expect(!log.contains("three"))
    }

    @Test func theFilesOfASuiteLinkToItsRuns() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("suite-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let result = SuiteResult(
            name: "nightly", startedAt: 1_700_000_000,
            entries: [.init(Self.journal("one", .held)), .init("two", notTested: "only on a cluster")])
        let files = SuiteFiles(folder: folder)
        try files.write(result)
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
        #expect(names == ["RUN-1.html", "RUN-1.json", "index.html", "junit.xml", "suite.json", "summary.md"])
        #expect(try String(contentsOf: files.index, encoding: .utf8).contains("<a href=\"RUN-1.html\">one</a>"))
        #expect(throws: LabError.self) { try SuiteFiles(folder: URL(fileURLWithPath: "/proc/nowhere")).write(result) }
    }
}
