import Experiments
import Foundation
import TestSupport
import Testing

@testable import Sandbox

/// The whole fault, with shell scripts for workers.
@Suite struct StressFaultTests {
    private static let burner = ["/bin/sh", "-c", "while :; do :; done", "worker"]
    private static let sleeper = ["/bin/sh", "-c", "exec sleep 60", "worker"]
    /// Comes to hold 16 MiB in shell variables, and never less than it has held: a larger one would be copied to grow.
    private static let holder = [
        "/bin/sh", "-c",
        """
        x=0123456789abcdef; i=0; while [ $i -lt 12 ]; do x=$x$x; i=$((i+1)); done
        while [ $i -lt 268 ]; do eval "x$i=\\$x"; i=$((i+1)); done; while :; do sleep 0.1; done
        """,
        "worker",
    ]
    private let here = Placement.processor(Pinning(replica: 0))

    private func fault(
        _ spec: StressSpec, _ command: [String], placements: [Placement]? = nil
    ) -> StressFault {
        let targets = (placements ?? [here]).enumerated().map {
            StressFault.Target(replica: "payment-\($0)", placement: $1)
        }
        return StressFault(id: "run-1/stress", targets: targets, spec: spec, workerCommand: command)
    }

    @Test func workersBurnUntilTheFaultIsUndone() async throws {
        let fault = fault(.cpu(workers: 2, loadPercent: 40), Self.burner, placements: [here, here])
        #expect(fault.summary == "2 x 40 % cpu on payment-0,payment-1")
        try await fault.apply()
        try await fault.verify()
        guard case .cpu(let asked, let attainable, let burnt, let wall) = try await fault.reading() else {
            Issue.record("not a processor reading")
            return
        }
        #expect(asked == 1.6)
        #expect(attainable == 1, "all are pinned to one processor")
        #expect(burnt > 0 && burnt <= wall * 1.2)
        try await fault.undo()
        guard case .cpu(_, _, let final, let wallAtEnd) = try await fault.reading() else { return }
        #expect(final >= burnt, "what ended workers have burnt still counts")
        let again = try await fault.reading()
        #expect(
            again == .cpu(askedCores: asked, attainableCores: attainable, burntSeconds: final, wallSeconds: wallAtEnd))
        try await fault.undo()
        await #expect(throws: StressError.self) { try await fault.verify() }
    }

    @Test func aSecondApplicationBeginsAnew() async throws {
        let fault = fault(.cpu(workers: 1, loadPercent: 20), Self.burner)
        await #expect(throws: StressError.notApplied(fault: "run-1/stress")) { try await fault.verify() }
        try await fault.apply()
        try await fault.undo()
        try await fault.apply()
        try await fault.verify()
        guard case .cpu(_, _, let burnt, let wall) = try await fault.reading() else { return }
        #expect(burnt <= wall * 1.2)
        try await fault.undo()
    }

    @Test func whatNeverTookEffectReadsAsNothing() async throws {
        let fault = fault(.cpu(workers: 1, loadPercent: 50), ["/bin/sh", "-c", "exit 9", "worker"])
        await #expect(throws: StressError.self) { try await fault.apply() }
        let nothing = DoseReading.cpu(askedCores: 0.5, attainableCores: 0.5, burntSeconds: 0, wallSeconds: 0)
        #expect(try await fault.reading() == nothing)
    }

    @Test func aWorkerThatEndsAtOnceFailsTheFaultAndLeavesNothing() async throws {
        let fault = fault(.cpu(workers: 1, loadPercent: 100), ["/bin/sh", "-c", "exit 9", "worker"])
        await #expect(
            throws: StressError.workerEnded(fault: "run-1/stress", replica: "payment-0", exit: .code(9))
        ) { try await fault.apply() }
    }

    @Test func aWorkerThatIgnoresTheEndIsKilled() async throws {
        let stubborn = ["/bin/sh", "-c", "trap '' TERM; while :; do :; done", "worker"]
        let fault = fault(.cpu(workers: 1, loadPercent: 10), stubborn)
        try await fault.apply()
        try await fault.undo()
        await #expect(throws: StressError.self) { try await fault.verify() }
    }

    @Test func aCancelledRunStillUndoesItsFault() async throws {
        let fault = fault(.cpu(workers: 1, loadPercent: 10), Self.burner)
        let run = Task {
            try await fault.apply()
            withUnsafeCurrentTask { $0?.cancel() }
            try await fault.undo()
        }
        try await run.value
        await #expect(throws: StressError.self) { try await fault.verify() }
    }

    @Test func aFaultThatIsCancelledBeforeItTakesEffectLeavesNothing() async throws {
        // Sleepers never burn, so it would wait for half a minute.
        let fault = fault(.cpu(workers: 1, loadPercent: 100), Self.sleeper)
        let run = Task { try await fault.apply() }
        run.cancel()
        await #expect(throws: CancellationError.self) { try await run.value }
        await #expect(throws: StressError.self) { try await fault.verify() }
    }

    @Test func tooManyWorkersAreRefusedBeforeTheFirstStarts() async throws {
        let fault = fault(.cpu(workers: 300, loadPercent: 1), Self.burner, placements: [here, here])
        await #expect(throws: StressError.tooManyWorkers(asked: 600, most: StressFault.maximumWorkers)) {
            try await fault.apply()
        }
    }

    /// A kill that the kernel did not make for memory is no dose, by whichever signal.
    @Test(arguments: [SIGTERM, SIGKILL])
    func aWorkerThatSomeoneElseEndsIsNoticed(signal: Int32) async throws {
        let folder = try TestFolder()
        let burner = ["/bin/sh", "-c", "echo $$ >> '\(folder.file("pids"))'; while :; do :; done", "worker"]
        let fault = fault(.cpu(workers: 2, loadPercent: 10), burner)
        try await fault.apply()
        let worker = try #require(folder.text("pids").split(separator: "\n").compactMap { Int32($0) }.first)
        kill(worker, signal)
        await #expect(throws: FaultVanished.self) {
            try await eventually("it is noticed") {
                _ = try await fault.reading()
                return false
            }
        }
        try await fault.undo()
        _ = try await fault.reading()
    }

    @Test func memoryIsHeldUntilTheFaultIsUndone() async throws {
        let fault = fault(.memory(workers: 2, bytes: 16 << 20), Self.holder)
        try await fault.apply()
        try await fault.verify()
        guard case .memory(let asked, let held, let kills) = try await fault.reading() else {
            Issue.record("not a memory reading")
            return
        }
        #expect(asked == 16 << 20)
        #expect(Double(held) >= Double(asked) * StressFault.enoughMemory)
        #expect(kills == 0)
        try await fault.undo()
        try await fault.undo()
        #expect(try await fault.reading() == .memory(askedBytes: 16 << 20, heldBytes: 0, outOfMemoryKills: 0))
    }

    @Test(.enabled(if: controlGroupObstacle == nil, "\(controlGroupObstacle ?? "")"))
    func theGroupHoldsTheBurnersToTheReplicasLimit() async throws {
        let groups = try await ControlGroups.open(labName: "test-\(UUID().uuidString.prefix(8))")
        let group = try groups.group(for: "payment-0", limits: .deployment)
        let fault = fault(.cpu(workers: 2, loadPercent: 100), Self.burner, placements: [.group(group)])
        do {
            try await fault.apply()
            #expect(group.processes().count == 2)
            try await eventually("250 ms burnt") {
                guard case .cpu(let asked, let attainable, let burnt, let wall) = try await fault.reading() else {
                    return false
                }
                #expect(asked == 2)
                #expect(attainable == 0.2)
                if burnt >= 0.25 { #expect(burnt / wall < 0.35, "two workers, held to 0.2 cores") }
                return burnt >= 0.25
            }
        } catch {
            Issue.record(error)
        }
        try await fault.undo()
        #expect(group.processes().isEmpty)
        try await groups.remove()
    }

    @Test(.enabled(if: controlGroupObstacle == nil, "\(controlGroupObstacle ?? "")"))
    func aWorkerKilledForMemoryIsAFinding() async throws {
        let groups = try await ControlGroups.open(labName: "test-\(UUID().uuidString.prefix(8))")
        let limits = ResourceLimits(cpuMillicores: 1000, memoryBytes: 8 << 20)
        let group = try groups.group(for: "payment-0", limits: limits)
        let fault = fault(.memory(workers: 1, bytes: 64 << 20), Self.holder, placements: [.group(group)])
        do {
            try await fault.apply()
            let reading = try await fault.reading()
            #expect(reading == .memory(askedBytes: 64 << 20, heldBytes: 0, outOfMemoryKills: 1))
            #expect(group.outOfMemoryKills() == 1)
        } catch {
            Issue.record(error)
        }
        try await fault.undo()
        try await groups.remove()
    }
}
