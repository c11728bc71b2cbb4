import TestSupport
import Testing

@testable import Shared

struct LatchTests {
    private let latch = Latch()

    @Test func openingWakesEveryoneAndStaysOpen() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<50 { group.addTask { await latch.wait() } }
            try await eventually { latch.waitingCount == 50 }
            #expect(!latch.isOpen)
            latch.open()
            latch.open()
        }
        #expect(latch.isOpen && latch.waitingCount == 0)
        await latch.wait()
    }

    @Test func aCancelledWaitReturnsAndLeavesNothingBehind() async throws {
        let waits = (0..<20).map { _ in Task { await latch.wait() } }
        try await eventually { latch.waitingCount == 20 }
        for wait in waits { wait.cancel() }
        for wait in waits { await wait.value }
        #expect(latch.waitingCount == 0 && !latch.isOpen)
    }

    @Test func untilTheInstantOrTheSwitch() async throws {
        #expect(await !latch.wait(until: .now + .milliseconds(20)))
        #expect(await !latch.wait(until: .now - .seconds(1)))
        async let stopped = latch.wait(until: .now + .seconds(3600))
        try await eventually { latch.waitingCount == 1 }
        latch.open()
        #expect(await stopped)
        #expect(await latch.wait(until: .now + .seconds(3600)))
        #expect(latch.waitingCount == 0)
    }

    @Test func workIsCancelledByTheSwitchAndHasItsSayThen() async throws {
        #expect(try await latch.cancelling { 7 } == 7)
        let cancelled = Task { try await latch.cancelling { try await Task.sleep(for: .seconds(3600)) } }
        // Work that is done when it is cancelled is not lost.
        async let done = latch.cancelling {
            try? await Task.sleep(for: .seconds(3600))
            return "done"
        }
        try await eventually { latch.waitingCount == 2 }
        latch.open()
        #expect(try await done == "done")
        await #expect(throws: CancellationError.self) { try await cancelled.value }
        #expect(latch.waitingCount == 0)
    }

    @Test func aCancelledTaskIsToldToStop() async throws {
        let wait = Task { await latch.wait(until: .now + .seconds(3600)) }
        try await eventually { latch.waitingCount == 1 }
        wait.cancel()
        #expect(await wait.value)
        #expect(latch.waitingCount == 0)
    }

    /// Opening, waiting and cancelling race; a wake-up that is missed would hang the test.
    @Test(.timeLimit(.minutes(1))) func noWaiterMissesTheSwitch() async {
        for round in 0..<300 {
            let latch = Latch()
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<4 { group.addTask { await latch.wait() } }
                group.addTask { latch.open() }
                if round % 3 == 0 { group.cancelAll() }
            }
            #expect(latch.waitingCount == 0)
        }
    }
}
