import Foundation
import Shared
import Synchronization
import TestSupport
import Testing
import Verdict

/// A run that 200 people watch.
@Suite(
    "Many pages", .enabled(if: LabProcess.namespacesWork, "this machine refuses namespaces; see scenario-runner doctor")
)
struct ManyPagesTests {
    private static let rate = 20
    /// Besides those that do not read.
    private static let readerCount = 190
    private static let sleeperCount = 10
    /// What so many pages may cost the runner, in its debug build: 0.4 MiB each.
    private static let maximumGrowthKiB = 80 * 1024

    @Test("two hundred open pages do no harm to a run, and see all of it")
    func twoHundredPages() async throws {
        try await LabProcess.withLab { lab in
            let port = try #require(URL(string: lab.state.runner_url)?.port)
            let runner = try HostProcesses.inner(of: lab.pid)
            let before = try Self.residentKiB(of: runner)
            let readers = try await EventPages(port: port, count: Self.readerCount)
            let sleepers = try await EventPages(port: port, count: Self.sleeperCount, receiveBufferBytes: 4096)
            try await waitUntil("every page has its snapshot", within: .seconds(20)) {
                try readers.read()
                return readers.events.allSatisfy { $0.first?.name == "snapshot" }
            }
            let (journal, highest) = try await Self.watchedRun(lab, readers, runner)

            try Self.expectWholeMeasurement(journal)
            #expect(highest - before < Self.maximumGrowthKiB, "\(highest - before) KiB more")
            try await Self.expectAllEvents(readers)
            try Self.expectPicture(readers.events[0])
            try sleepers.read()
            for events in sleepers.events {
                #expect(events.map(\.number) == events.map(\.number).sorted(), "whoever reads late hears in order")
            }
            #expect(readers.endedCount == 0)
            readers.close()
            sleepers.close()
        }
    }

    /// A run from its start to its end, while the pages read.
    ///
    /// - Returns: its journal, and the most memory that the runner had meanwhile.
    private static func watchedRun(
        _ lab: LabProcess, _ pages: EventPages, _ runner: Int32
    ) async throws -> (journal: Journal, highestKiB: Int) {
        let body = """
            {"experiment": "slow-network", "baseline": "2s", "duration": "4s", "recovery": "2s", "rate": \(rate)}
            """
        let started = try await lab.post(lab.state.runner_url + "/api/runs", body)
        let id = try #require(started.body["id"]?.text, "\(started)")
        let highest = Mutex(0)
        try await waitUntil("the end of the run on every page", within: .seconds(60)) {
            try pages.read()
            let now = try residentKiB(of: runner)
            highest.withLock { $0 = max($0, now) }
            return pages.events[0].contains { $0.name == "run" && $0.data.contains(#""state":"finished""#) }
        }
        let response = try await lab.client.execute(
            HTTPClientRequest(
                url: "\(lab.state.runner_url)/api/runs/\(id)/report?format=json", timeout: .seconds(20)))
        let journal = try JSONDecoder().decode(Journal.self, from: response.body)
        return (journal, highest.withLock { $0 })
    }

    /// Every request was sent when it was due, in every second of the run.
    private static func expectWholeMeasurement(_ journal: Journal) throws {
        #expect(journal.verdict != .invalid, "\(journal.reasons)")
        #expect(journal.load?.dropped == 0)
        // The last one is cut by the end of the load.
        let seconds = journal.series.dropLast()
        #expect(seconds.count >= 8 && seconds.map(\.t) == Array(0..<seconds.count))
        for second in seconds where second.phase != nil && second.t > 0 {
            #expect((rate - 1...rate + 1).contains(second.requests), "second \(second.t): \(second.requests)")
        }
    }

    /// All pages have heard the same, in order and without a gap.
    private static func expectAllEvents(_ pages: EventPages) async throws {
        try await waitUntil("all pages know the newest event", within: .seconds(10)) {
            try pages.read()
            return Set(pages.events.map { $0.last?.number }).count == 1
        }
        for (index, events) in pages.events.enumerated() {
            let numbers = events.map(\.number)
            let first = try #require(numbers.first)
            #expect(numbers == Array(first..<first + numbers.count), "page \(index)")
        }
        let seconds = pages.events[0].filter { $0.name == "second" }
        #expect(seconds.count >= 8, "one for each second of the run")
    }

    /// What the pages were told of the system: where the fault acted, and what it did there.
    private static func expectPicture(_ events: [EventPages.Event]) throws {
        let pictures = try events.filter { $0.name == "topology" }.map {
            try JSONDecoder().decode(JSONValue.self, from: Data($0.data.utf8))
        }
        func path(_ picture: JSONValue, _ to: String) -> JSONValue? {
            picture["paths"]?.elements.first { $0["to"] == .string(to) }
        }
        func number(_ value: JSONValue?) -> Double {
            switch value {
            case .integer(let number): Double(number)
            case .decimal(let number): NSDecimalNumber(decimal: number).doubleValue
            default: -1
            }
        }
        func fault(_ picture: JSONValue) -> JSONValue? { picture["faults"]?.elements.first }
        // While a fault is taken away its end is null, and some pictures show that moment.
        let last = try #require(pictures.last { number(fault($0)?["until"]) > 0 }, "a fault in force, with its end")
        let fault = try #require(fault(last))
        #expect(fault["kind"] == .string("delay") && fault["label"] == .string("200 ms +- 50 ms"), "\(fault)")
        #expect(fault["places"]?.elements.contains { $0["from"] == .string("payment-0") } == true)
        #expect(fault["experiment"] == .string("slow-network"))
        let slow = try #require(path(last, "inventory"))
        #expect(number(slow["rate_rps"]) > 0 && slow["seen_by"] == .string("caller"))
        #expect(number(slow["p95_ms"]) > 100, "the delay is felt where it acts: \(slow)")
        #expect(slow["replicas"]?.elements.count == 3)
        #expect(pictures.contains { number(path($0, "payment")?["rate_rps"]) >= Double(rate) / 2 })
        #expect(try #require(pictures.last)["faults"]?.elements == [], "and at the end it is gone")
    }

    private static func residentKiB(of pid: Int32) throws -> Int {
        let status = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
        return try #require(line?.split(separator: " ").dropFirst().first.flatMap { Int($0) })
    }
}
