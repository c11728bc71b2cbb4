import Foundation
import TestSupport
import Testing

@testable import Sandbox

/// Real control groups of this machine.
@Suite(.enabled(if: controlGroupObstacle == nil, "\(controlGroupObstacle ?? "")"))
struct ControlGroupTests {
    private func withGroups(_ body: (ControlGroups) async throws -> Void) async throws {
        let groups = try await ControlGroups.open(labName: "test-\(UUID().uuidString.prefix(8))")
        do {
            try await body(groups)
        } catch {
            try await groups.remove()
            throw error
        }
        try await groups.remove()
    }

    /// Runs `script` in `group` while `body` looks at it, and ends it.
    private func run(
        _ script: String, in group: ControlGroup, _ body: (inout ChildProcess) async throws -> Void
    ) async throws {
        var child = try ChildProcess(group.enter(["/bin/sh", "-c", script]), input: nil, logFile: nil)
        var failure: (any Error)?
        do { try await body(&child) } catch { failure = error }
        child.send(SIGKILL)
        try await eventually("child gone") {
            child.poll()
            return child.exit != nil
        }
        if let failure { throw failure }
    }

    private func used(by child: ChildProcess) throws -> Duration {
        try #require(ProcessStat.processorTime(of: child.pid))
    }

    @Test func aBusyLoopIsHeldToItsQuota() async throws {
        try await withGroups { groups in
            let group = try groups.group(for: "busy", limits: .deployment)
            try await run("while :; do :; done", in: group) { child in
                try await eventually("throttled") { group.throttledPeriods() >= 2 }
                #expect(group.processes() == [child.pid])
                let start = ContinuousClock.now
                let before = try used(by: child)
                // Waits for the work, not for the time: on a busy machine the loop gets less, never more.
                try await eventually("250 ms burnt") { try used(by: child) - before > .milliseconds(250) }
                let cores = try (used(by: child) - before) / (ContinuousClock.now - start)
                #expect(cores < 0.35, "\(cores) cores")
            }
        }
    }

    @Test func aGroupWithoutLimitsOnlyCounts() async throws {
        try await withGroups { groups in
            let group = try groups.group(for: "free", limits: nil)
            try await run("while :; do :; done", in: group) { child in
                try await eventually("half a second burnt") { try used(by: child) > .milliseconds(500) }
                #expect(group.throttledPeriods() == 0)
            }
        }
    }

    @Test func tooMuchMemoryIsKilledAndCounted() async throws {
        try await withGroups { groups in
            let limits = ResourceLimits(cpuMillicores: 1000, memoryBytes: 16 << 20)
            let group = try groups.group(for: "hungry", limits: limits)
            try await run("x=0123456789abcdef; while :; do x=$x$x; done", in: group) { child in
                try await eventually("killed") {
                    child.poll()
                    return child.exit == .signal(SIGKILL)
                }
                #expect(!child.wasSignalled)
            }
            #expect(group.outOfMemoryKills() == 1)
        }
    }

    @Test func theCommandGetsItsArgumentsUntouched() async throws {
        let folder = try TestFolder()
        try await withGroups { groups in
            let group = try groups.group(for: "arguments", limits: nil)
            let command = group.enter(["/usr/bin/printf", "%s|", "a b", "$HOME", "'\"", ""])
            var child = try ChildProcess(command, input: nil, logFile: folder.file("log"))
            try await eventually("done") {
                child.poll()
                return child.exit != nil
            }
            #expect(child.exit == .code(0))
            #expect(folder.text("log") == "a b|$HOME|'\"||")
        }
    }

    @Test func aGroupThatIsGoneIsNotEntered() async throws {
        try await withGroups { groups in
            let group = try groups.group(for: "gone", limits: nil)
            for folder in group.folders.distinct { #expect(rmdir(folder) == 0) }
            var child = try ChildProcess(group.enter(["/bin/true"]), input: nil, logFile: nil)
            try await eventually("done") {
                child.poll()
                return child.exit != nil
            }
            #expect(child.exit == .code(125))
        }
    }

    @Test func sweepTakesDeadLabsAndLeavesLivingOnes() async throws {
        let dead = "payment-chaos-test-\(UUID().uuidString.prefix(8))"
        let place = try #require(ControlGroupPlaces.ofThisProcess().candidates.first)
        let leftovers = place.parents.distinct.map { $0 + "/" + dead }
        try await withGroups { groups in
            let group = try groups.group(for: "payment-0", limits: nil)
            for folder in leftovers {
                #expect(mkdir(folder, 0o755) == 0)
                #expect(mkdir(folder + "/payment-0", 0o755) == 0)
            }
            await ControlGroups.sweep()
            // Another sweep may have been at them at the same moment.
            try await eventually("they are gone") {
                !leftovers.contains { FileManager.default.fileExists(atPath: $0) }
            }
            #expect(group.folders.distinct.allSatisfy { FileManager.default.fileExists(atPath: $0) })
        }
    }

    /// As after `kill -9`: the lock is free while the last process is still on its way out.
    @Test func sweepWaitsForTheLastProcessOfADeadLab() async throws {
        let place = try #require(ControlGroupPlaces.ofThisProcess().candidates.first)
        let folder = place.parents.cpu + "/payment-chaos-test-\(UUID().uuidString.prefix(8))"
        #expect(mkdir(folder, 0o755) == 0)
        let script = "echo $$ > '\(folder)/cgroup.procs'; exec sleep 60"
        var child = try ChildProcess(["/bin/sh", "-c", script], input: nil, logFile: nil)
        try await eventually("it is in") {
            ((try? String(contentsOfFile: folder + "/cgroup.procs", encoding: .utf8)) ?? "").contains("\(child.pid)")
        }
        async let swept = ControlGroups.sweep()
        try await Task.sleep(for: .milliseconds(50))
        child.send(SIGKILL)
        _ = await swept
        try await eventually("it is gone") { !FileManager.default.fileExists(atPath: folder) }
        child.poll()
    }

    @Test func aSecondLabOfTheSameNameIsRefused() async throws {
        let name = "test-\(UUID().uuidString.prefix(8))"
        let first = try await ControlGroups.open(labName: name)
        await #expect(throws: ControlGroupError.self) { _ = try await ControlGroups.open(labName: name) }
        try await first.remove()
    }
}

extension ControlGroup {
    /// In how many periods of 100 ms it wanted more processor than its quota.
    fileprivate func throttledPeriods() -> UInt64 {
        let text = try? String(contentsOfFile: folders.cpu + "/cpu.stat", encoding: .utf8)
        return Self.counter("nr_throttled", in: text ?? "")
    }
}
