import Foundation
import Load
import Shared
import TestSupport
import Testing

@testable import ScenarioRunner

/// The child process with programs in Locust's place that do what Locust hardly ever does.
@Suite struct LocustProcessTests {
    /// Runs a shell script as if it were Locust.
    private func run(
        _ script: String, runTime: Duration = .seconds(5), stop: Latch = Latch(),
        onReport: @escaping @Sendable (LocustReport) -> Void = { _ in },
        _ check: @Sendable (LocustEnd, LocustOrder, LabFolder) throws -> Void
    ) async throws {
        try await withTemporaryFolder { root in
            let folder = LabFolder(path: root.path)
            try folder.prepare()
            let program = root.appendingPathComponent("locust")
            try Data("#!/bin/sh\n\(script)\n".utf8).write(to: program)
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: program.path)
            var settings = LocustSettings(profilesFolder: root.path)
            settings.program = program.path
            let driver = LocustProcess(
                installation: LocustInstallation(settings, folder: folder), folder: folder,
                addresses: ["PAYMENT_URL": "http://pay"], place: { $0 }, restock: { _ in })
            try Data().write(to: root.appendingPathComponent("shopper.py"))
            let profile = try #require(LocustCatalogue(folder: root.path).profile(named: "shopper.py"))
            let order = LocustOrder(id: "LOAD-1", profile: profile, userCount: 3, spawnRate: 2, runTime: runTime)
            let started = try await driver.start(order)
            try check(await started.follow(stop, onReport), order, folder)
        }
    }

    private static func line(_ exitCode: Int? = nil) -> String {
        let end = exitCode.map { #","exit_code":\#($0)"# } ?? ""
        return #"echo '{"state":"running","user_count":3,"stats":[],"errors":[]\#(end)}'"#
    }

    @Test func whatItSaysIsHeardAndItsCodeIsKept() async throws {
        let heard = Latch()
        try await run(
            "\(Self.line())\necho noise\n\(Self.line(1))\necho log >&2\nexit 1", onReport: { _ in heard.open() }
        ) { end, order, folder in
            #expect(end.exitCode == 1 && end.problem == nil && end.summary?.total.requests == 0)
            let log = try String(contentsOf: folder.runs.appendingPathComponent("LOAD-1.log"), encoding: .utf8)
            #expect(log.contains("noise") && log.contains("log"))
        }
        #expect(heard.isOpen)
    }

    @Test func itsArgumentsAndItsSurroundingsAreOurs() async throws {
        try await run("echo \"$@\"; env; \(Self.line(0))") { end, order, folder in
            #expect(end.problem == nil)
            let said = try String(contentsOf: folder.runs.appendingPathComponent("LOAD-1.log"), encoding: .utf8)
            let files = folder.runs.appendingPathComponent("LOAD-1").path
            let arguments = order.arguments(
                stream: folder.root.appendingPathComponent("locust_stream.py").path, files: files)
            #expect(said.contains(arguments.joined(separator: " ")))
            #expect(said.contains("PAYMENT_URL=http://pay\n") && said.contains("HOME=\(folder.root.path)\n"))
            #expect(!said.contains("LOCUST_"))
        }
    }

    @Test func oneThatDiesAtOnceSaysWhy() async throws {
        try await run("echo before >&2; echo 'No module named x' >&2; exit 1") { end, _, _ in
            #expect(end.exitCode == 1 && end.summary == nil)
            #expect(end.problem == "Locust ended early with exit code 1: before | No module named x")
        }
    }

    @Test func oneThatCannotBeStartedIsAnAnswer() async throws {
        try await withTemporaryFolder { root in
            var settings = LocustSettings(profilesFolder: root.path)
            settings.program = root.appendingPathComponent("nothing").path
            let installation = LocustInstallation(settings, folder: LabFolder(path: root.path))
            #expect(installation.obstacle?.contains("LOCUST_BIN") == true)
        }
    }

    /// It ignores SIGTERM and has a child that holds its pipes: both are killed.
    @Test func oneThatDoesNotStopIsKilledWithItsChildren() async throws {
        let stop = Latch()
        let pids = LogLines()
        let start = ContinuousClock.now
        try await run(
            "trap '' TERM; sleep 300 & echo \"{\\\"state\\\":\\\"$$ $!\\\",\\\"user_count\\\":0,\\\"stats\\\":[],\\\"errors\\\":[]}\"; "
                + "while :; do sleep 1; done",
            runTime: .seconds(600), stop: stop,
            onReport: { report in
                pids.append(Data(report.state.utf8))
                stop.open()
            }
        ) { end, _, _ in
            #expect(end.exitCode == nil && end.problem != nil)
        }
        #expect(ContinuousClock.now - start >= ProcessEnding.grace)
        let ids = pids.text.split(separator: " ").compactMap { Int32($0) }
        try #require(ids.count == 2)
        try await eventually("both are gone", within: .seconds(10)) {
            !ids.contains(where: ProcessLife.isAlive)
        }
    }

    @Test func aCancelledTaskTakesItAlong() async throws {
        let heard = Latch()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await run(
                    "\(Self.line()); exec sleep 300", runTime: .seconds(600), onReport: { _ in heard.open() }
                ) { end, _, _ in #expect(end.problem != nil) }
            }
            try await eventually { heard.isOpen }
            group.cancelAll()
            try await group.waitForAll()
        }
    }

    @Test func theStepsOfAnEnd() {
        let start = ContinuousClock.now
        var ending = ProcessEnding(deadline: start + .seconds(10))
        #expect(ending.signal(at: start, isStopped: false) == nil)
        #expect(ending.signal(at: start + .seconds(1), isStopped: true) == SIGTERM)
        #expect(ending.signal(at: start + .seconds(2), isStopped: true) == nil)
        #expect(ending.signal(at: start + .seconds(1) + ProcessEnding.grace, isStopped: true) == SIGKILL)
        #expect(ending.signal(at: start + .seconds(60), isStopped: true) == nil)
        var late = ProcessEnding(deadline: start + .seconds(10))
        #expect(late.signal(at: start + .seconds(10), isStopped: false) == SIGTERM)
    }

    @Test func aLogIsBoundedAndItsLastLinesAreAtHand() async throws {
        try await withTemporaryFolder { root in
            let file = root.appendingPathComponent("a.log")
            let log = LocustLog(file: file.path)
            log.add(Array("first\n".utf8))
            for _ in 0..<40 { log.add(Array(repeating: UInt8(ascii: "x"), count: 32 * 1024)) }
            log.add(Array("\n\n one \n two\nthree\nfour\n\n".utf8))
            #expect(log.lastLines == "two | three | four")
            let written = try Data(contentsOf: file).count
            #expect(written == LocustLog.maxFileBytes)
        }
    }
}
