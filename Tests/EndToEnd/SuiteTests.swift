import Foundation
import Testing
import Verdict

/// Reports, comparisons and suites with the real command line, and a suite in a real lab.
@Suite struct SuiteTests {
    private let runner = Command.runner

    private static var journal: String {
        LabProcess.repository.appendingPathComponent("Tests/Fixtures/journals/packet-loss-80-percent.json").path
    }

    @Test("A journal becomes a report in every format")
    func reports() async throws {
        for format in ["html", "md", "junit", "csv", "text", "json"] {
            let ended = try await runner("report", Self.journal, "--format", format)
            #expect(ended.status == .exited(0) && ended.error.isEmpty, "\(ended.error)")
            #expect(!ended.output.isEmpty, "\(format)")
        }
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("report-\(UUID().uuidString)/a.html")
        defer { try? FileManager.default.removeItem(at: file.deletingLastPathComponent()) }
        let ended = try await runner("report", Self.journal, "--out", file.path)
        #expect(ended.output.isEmpty)
        #expect(try String(contentsOf: file, encoding: .utf8).hasPrefix("<!doctype html>"))
    }

    @Test(
        "What is no journal is wrong usage, in one line",
        arguments: [
            ["report", "RUN-1"], ["report", "Makefile"], ["report", "../x"], ["compare", "RUN-1", "RUN-2"],
            ["suite", "nothing.yaml"], ["suite", "Tests/Benchmarks/compare/delays.yaml"], ["suite", "Package.swift"],
        ])
    func noJournal(arguments: [String]) async throws {
        try await withStateFolder { folder in
            let ended = try await runner.run(arguments + ["--state", folder])
            #expect(ended.status == .exited(64) && ended.output.isEmpty, "\(ended.error)")
            #expect(ended.complaints.count == 1 && ended.error.hasPrefix("scenario-runner: "), "\(ended.error)")
        }
    }

    @Test("A run is like itself, and a gate that cannot be read is wrong usage")
    func compare() async throws {
        let same = try await runner("compare", Self.journal, Self.journal, "--fail-on", "any", "--fail-on", "p99:+20%")
        #expect(same.status == .exited(0) && same.output.contains("no difference beyond what chance makes"))
        let json = try await runner("compare", Self.journal, Self.journal, "--json")
        #expect(try JSONDecoder().decode(RunComparison.self, from: Data(json.output.utf8)).differs == false)
        let wrong = try await runner("compare", Self.journal, Self.journal, "--fail-on", "p99")
        #expect(wrong.status == .exited(64) && wrong.error.contains("p99:+20%"))
    }

    @Test(
        "A suite in a lab: what held, what was not tested, and all its files", .enabled(if: LabProcess.namespacesWork))
    func suite() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("suite-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let file = folder.appendingPathComponent("suite.yaml")
        let text = """
            name: short
            rest: 1s
            baseline: 3s
            recovery: 5s
            experiments:
              - nothing-of-that-name
              - name: packet-loss-80-percent
                duration: 3s
            """
        try Data(text.utf8).write(to: file)
        let out = folder.appendingPathComponent("reports")
        let ended = try await runner(
            "suite", file.path, "--out", out.path, "--state", folder.appendingPathComponent("state").path, "--ports",
            "0,0,0,0")
        // Whether so short a fault does what its hypothesis says is not the point; that it was carried out is.
        #expect(ended.status == .exited(0) || ended.status == .exited(2), "\(ended.output) \(ended.error)")
        #expect(ended.output.contains("NOT TESTED") && ended.output.contains("1 of 2 experiments not tested"))
        #expect(ended.error.contains("[2/2] packet-loss-80-percent"))
        let names = try FileManager.default.contentsOfDirectory(atPath: out.path)
        #expect(names.filter { $0.hasPrefix("RUN-") }.count == 2)
        for name in ["index.html", "junit.xml", "suite.json", "summary.md"] { #expect(names.contains(name)) }
    }
}
