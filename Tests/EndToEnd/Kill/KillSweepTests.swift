import Experiments
import Foundation
import HTTPTypes
import Shared
import Subprocess
import Synchronization
import Testing

@testable import Sandbox
@testable import ScenarioRunner

/// `kill -9` at the steps of every fault, of the outer and of the inner process: the host is as before. A sample of the
/// steps by default, all of them with `make kill-sweep`; see ``KillSweepPlan``.
@Suite("Kill sweep", .serialized, .timeLimit(.minutes(60)))
struct KillSweepTests {
    @Test("Every step of a fault belongs to a life that is swept")
    func everyStep() {
        #expect(Set(FaultLife.all.flatMap(\.steps)) == Set(FaultStep.allCases))
    }

    @Test("kill -9 at a step of a fault leaves the host as it was")
    func sweep() async throws {
        let plan = KillSweepPlan.from()
        SoakProgress.say("kill sweep: \(plan.kills.count) kills, KILL_SWEEP_SEED=\(plan.seed)\n")
        #expect(!plan.kills.isEmpty, "KILL_SWEEP names faults of FaultLife")
        var clean = 0
        await withTaskGroup(of: Bool.self) { group in
            for (index, kill) in plan.kills.enumerated() {
                if index >= KillSweepPlan.width, await group.next() == true { clean += 1 }
                group.addTask { await kill.leavesNothing() }
                if index > 0, index.isMultiple(of: 20) { SoakProgress.say("kill sweep: \(index) begun\n") }
            }
            for await isClean in group where isClean { clean += 1 }
        }
        SoakProgress.say("kill sweep: \(clean) of \(plan.kills.count) left nothing\n")
        #expect(clean == plan.kills.count)
    }

    @Test("What a disk worker left that was killed in its first moment goes with the next start")
    func diskLeftover() async throws {
        try await withStateFolder { folder in
            let leftover = folder + "/data/.chaos-disk-left"
            try FileManager.default.createDirectory(atPath: folder + "/data", withIntermediateDirectories: true)
            #expect(FileManager.default.createFile(atPath: leftover, contents: nil))
            try await LabProcess.withLab(["--plain"], folder: URL(fileURLWithPath: folder)) { _ in
                #expect(!FileManager.default.fileExists(atPath: leftover))
            }
        }
    }
}

/// Which kills are made.
struct KillSweepPlan: Sendable {
    /// Labs at a time: they mostly wait.
    static let width = 3

    let kills: [Kill]
    let seed: UInt64

    /// `KILL_SWEEP=all` takes every step, `KILL_SWEEP=delay,cpu` every step of these faults, and nothing one step of
    /// each fault, drawn with `KILL_SWEEP_SEED`.
    static func from(_ environment: [String: String] = ProcessInfo.processInfo.environment) -> KillSweepPlan {
        let seed = environment["KILL_SWEEP_SEED"].flatMap(UInt64.init) ?? 1
        var generator = SeededGenerator(seed: seed)
        let wanted = environment["KILL_SWEEP"].map { $0.split(separator: ",").map(String.init) }
        let hasTun = environment["CI"] != nil || TunDevice.obstacle() == nil
        var kills: [Kill] = []
        for life in FaultLife.all where wanted.map({ $0 == ["all"] || $0.contains(life.name) }) ?? true {
            for victim in Victim.allCases {
                // A plain lab is one process, and has no network to break.
                let isPossible =
                    victim == .plain ? !life.isNetwork : LabProcess.namespacesWork && (hasTun || !life.needsTun)
                guard isPossible else { continue }
                kills += life.steps.indices.map { Kill(life: life, step: $0, victim: victim) }
            }
        }
        if wanted == nil {
            // One in the namespaces and one in the plain lab, where each can be.
            kills = Dictionary(grouping: kills) { "\($0.life.name) \($0.victim == .plain)" }
                .sorted { $0.key < $1.key }.compactMap { $0.value.randomElement(using: &generator) }
        }
        return KillSweepPlan(kills: kills, seed: seed)
    }

    enum Victim: String, Sendable, CaseIterable {
        case outer, inner, plain
    }
}

/// One lab, one fault, one death.
struct Kill: Sendable, CustomStringConvertible {
    let life: FaultLife
    let step: Int
    let victim: KillSweepPlan.Victim

    var description: String { "\(life.name), \(victim.rawValue) killed at step \(step), \(life.steps[step].rawValue)" }

    func leavesNothing() async -> Bool {
        do {
            return try await carryOut()
        } catch {
            Issue.record("\(self): \(error)")
            return false
        }
    }

    /// - Returns: whether all is as before; what is not is an issue of the test.
    private func carryOut() async throws -> Bool {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("killed-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let lab = try KilledLab(folder: folder, step: step, plain: victim == .plain)
        let before = try await HostState.read(marker: folder.path)
        let groups = Mutex<LabGroups?>(nil)
        let status = try await lab.run { outer in
            try await startFault(folder)
            try await waitUntil("step \(step), after \(lab.steps.last ?? "none")", within: .seconds(40)) {
                lab.steps.count > step
            }
            #expect(lab.steps == life.steps.prefix(step + 1).map(\.rawValue), "\(self)")
            #expect(try HostProcesses.all(below: outer).count >= 5, "the lab is alive")
            let found = try LabGroups.of(outer)
            groups.withLock { $0 = found }
            kill(victim == .inner ? try HostProcesses.inner(of: outer) : outer, SIGKILL)
        }
        // The outer process passes on what `unshare` says of its child's death; that of util-linux 2.38 says 1.
        let ends: [TerminationStatus] =
            victim == .inner ? [.exited(128 + SIGKILL), .exited(1)] : [.signaled(SIGKILL)]
        #expect(ends.contains(status), "\(self): \(status)")
        try await waitUntil("the host is as before", within: .seconds(20)) {
            try await HostState.read(marker: folder.path) == before
        }
        let left = try #require(groups.withLock { $0 })
        if LabGroups.areExpected { #expect(!left.folders.isEmpty, "the lab had control groups") }
        #expect(try await Command.runner("heal").status == .exited(0))
        // The sweep heals several labs at a time, and what one is at another leaves to it.
        try await waitUntil("no group is left of \(left.folders)", within: .seconds(5)) { left.left == [] }
        return true
    }

    private func startFault(_ folder: URL) async throws {
        let state = try await LabProcess.waitForState(in: folder)
        let client = HTTPClient()
        let answer = try? await client.execute(
            HTTPClientRequest(method: .post, url: state.runner_url + life.path, timeout: .seconds(10)))
        await client.shutdown()
        guard answer?.status == 200 else {
            throw NotInTime(
                description: "not started: \(answer.map { String(decoding: $0.body, as: UTF8.self) } ?? "")")
        }
    }
}
