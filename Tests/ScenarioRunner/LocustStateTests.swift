import Foundation
import Load
import Shared
import Testing

@testable import ScenarioRunner

/// The pure parts: the desk, the reports, the master's watch, the settings, the texts.
@Suite struct LocustStateTests {
    private func run(_ id: String) -> LocustRun {
        let profile = LocustCatalogue(folder: Self.profiles).profile(named: "chain.py")
        guard let profile else { preconditionFailure("the project's own profile is missing") }
        return LocustRun(
            LocustOrder(id: id, profile: profile, userCount: 2, spawnRate: 1, runTime: .seconds(3)), driver: "process",
            startedAt: 100)
    }

    private static let profiles = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: LocustSettings.usualProfilesFolder).path

    @Test func oneAtTheDesk() throws {
        var desk = LocustDesk()
        #expect(desk.admit(run("a")) == nil && desk.current?.state == .starting)
        #expect(desk.admit(run("b"))?.id == "a")
        desk.withdraw("a")
        #expect(desk.current == nil && desk.runs.isEmpty && desk.stop() == nil)

        #expect(desk.admit(run("b")) == nil)
        desk.began("b", note: nil)
        #expect(desk.current?.state == .running)
        desk.heard("b", try FakeLocust.report(requests: 5, failures: 1).second(at: 7))
        #expect(desk.current?.live?.failures == 1 && desk.current?.live?.users == 4)
        desk.ended("b", LocustEnd(exitCode: 1, summary: try FakeLocust.report(requests: 5, failures: 1).summary), at: 9)
        #expect(desk.run("b")?.outcome == .failed && desk.run("b")?.message == "1 of 5 requests failed.")
        #expect(desk.run("b")?.endedAt == 9 && desk.run("b")?.live == nil)
        desk.heard("b", try FakeLocust.report(requests: 6, failures: 1).second(at: 10))
        desk.withdraw("b")
        #expect(desk.run("b")?.live == nil, "what has ended stays as it is")
    }

    @Test func aStopBeforeTheBeginningIsKept() {
        var desk = LocustDesk()
        _ = desk.admit(run("a"))
        #expect(desk.stop()?.state == .stopping)
        desk.began("a", note: "n")
        #expect(desk.current?.state == .stopping)
        desk.ended("a", LocustEnd(problem: "killed"), at: 1)
        #expect(desk.run("a")?.outcome == .stopped)
    }

    @Test func verdicts() throws {
        func outcome(_ end: LocustEnd) -> LocustRun.Outcome? {
            var desk = LocustDesk()
            _ = desk.admit(run("a"))
            desk.ended("a", end, at: 1)
            return desk.run("a")?.outcome
        }
        let good = try FakeLocust.report(requests: 9, failures: 0).summary
        let bad = try FakeLocust.report(requests: 9, failures: 2).summary
        let raised = try FakeLocust.report(
            requests: 9, failures: 0, more: #", "exceptions": [{"count": 1, "msg": "no"}]"#
        ).summary
        #expect(outcome(LocustEnd(exitCode: 0, summary: good)) == .passed)
        #expect(outcome(LocustEnd(summary: good)) == .passed, "a master has no exit code")
        #expect(outcome(LocustEnd(summary: bad)) == .failed)
        #expect(outcome(LocustEnd(summary: raised)) == .failed)
        #expect(outcome(LocustEnd(exitCode: 0, summary: bad)) == .passed, "a profile may have a threshold of its own")
        #expect(outcome(LocustEnd(exitCode: 3, summary: good)) == .failed)
        #expect(
            outcome(LocustEnd(exitCode: 0, summary: try FakeLocust.report(requests: 0, failures: 0).summary)) == .failed
        )
        #expect(outcome(LocustEnd(exitCode: 1, problem: "No module")) == .error)
    }

    @Test func theOldestAreForgotten() {
        var desk = LocustDesk(finished: (0..<60).map { run("old-\($0)") })
        #expect(desk.runs.count == LocustDesk.maxRemembered && desk.runs.first?.id == "old-10")
        desk.ended("old-59", LocustEnd(), at: 1)
        for number in 0..<5 {
            #expect(desk.admit(run("new-\(number)")) == nil)
            desk.ended("new-\(number)", LocustEnd(), at: 1)
        }
        #expect(desk.runs.count == LocustDesk.maxRemembered && desk.runs.last?.id == "new-4")
    }

    @Test func aRunSurvivesItsFile() throws {
        var desk = LocustDesk()
        _ = desk.admit(run("a"))
        desk.ended("a", LocustEnd(exitCode: 0, summary: try FakeLocust.report(requests: 9, failures: 0).summary), at: 4)
        let ended = try #require(desk.run("a"))
        #expect(try JSONDecoder().decode(LocustRun.self, from: JSONEncoder().encode(ended)) == ended)
        let text = LocustText.summary(ended)
        #expect(text.contains("POST /pay") && text.contains("Outcome       PASSED: None of 9 requests failed."))
        #expect(LocustText.line(run("b")) == "chain.py  starting")
    }

    @Test func aReportIsRead() throws {
        let report = try FakeLocust.report(
            requests: 8, failures: 3, state: "stopped", exitCode: 1,
            more: #", "workers": [{"id": "a", "state": "running"}, {"id": "b", "state": "missing"}]"#)
        #expect(!report.isBusy && report.exitCode == 1 && report.liveWorkers == 1)
        #expect(try FakeLocust.report(requests: 1, failures: 0, state: "stopping").isBusy)
        let second = report.second(at: 3)
        #expect(second.p50Ms == 6 && second.p95Ms == nil && second.throughputRps == 9.5 && second.requests == 8)
        let summary = report.summary
        #expect(summary.total.throughputRps == 8.25 && summary.total.p99Ms == 29 && summary.total.maxMs == 30.5)
        #expect(summary.endpoints.map(\.name) == ["/pay"] && summary.errors.map(\.occurrences) == [3])
    }

    @Test func aMastersEnd() {
        let start = ContinuousClock.now
        func watch(_ heard: [(Double, Bool?)]) -> MasterWatch.Verdict {
            var watch = MasterWatch(start: start, runTime: .seconds(60))
            var verdict = MasterWatch.Verdict.goOn
            for (second, isBusy) in heard { verdict = watch.heard(isBusy: isBusy, at: start + .seconds(second)) }
            return verdict
        }
        #expect(watch([(1, false)]) == .goOn, "an answer from before the start")
        #expect(watch([(1, false), (3, true), (4, false)]) == .ended)
        #expect(watch([(1, false), (6, false)]) == .ended, "it was too short to be seen")
        #expect(watch([(1, true), (5, nil)]) == .goOn)
        #expect(watch([(1, true), (5, nil), (11.5, nil)]) == .lost)
        var told = MasterWatch(start: start, runTime: .seconds(60))
        told.stopped(at: start + .seconds(2))
        #expect(told.heard(isBusy: true, at: start + .seconds(3)) == .goOn)
        #expect(told.heard(isBusy: true, at: start + .seconds(6)) == .ended)
        #expect(told.isOverdue(at: start + .seconds(90)) && !told.isOverdue(at: start + .seconds(89)))
    }

    @Test func settingsFromTheEnvironment() throws {
        let settings = try LocustSettings(
            profilesFolder: "p",
            environment: [
                "LOCUST_MASTER_URL": "http://locust-master:8089/", "LOCUST_BIN": "/usr/bin/locust", "LOCUST_HOST": "",
            ])
        #expect(settings.masterURL == "http://locust-master:8089" && settings.program == "/usr/bin/locust")
        #expect(settings.masterHost == nil)
    }

    @Test(arguments: [
        "locust-master:8089", "ftp://a", "http://", "http://a/b", "http://a b", "http://me@a", "http://a?b",
    ])
    func addressesThatAreNone(text: String) {
        let error = #expect(throws: SettingsError.self) {
            try LocustSettings(profilesFolder: "p", environment: ["LOCUST_MASTER_URL": text])
        }
        #expect(error?.messages.first?.hasPrefix("LOCUST_MASTER_URL must be an address") == true)
    }
}
