import Shared
import TestSupport
import Testing

@testable import ScenarioRunner

struct FailureModesStoreTests {
    private let store = FailureModesStore(seed: 9)

    @Test func startsWithEverythingOff() {
        #expect(store.settings == ServiceSettings(version: 1, leaseS: 15, seed: 9, failureModes: .off))
    }

    @Test func aChangeRaisesTheVersion() {
        let modes = store.change { $0.cardDeclineEnabled = true }
        #expect(modes.cardDeclineEnabled)
        #expect(store.settings.version == 2 && store.settings.failureModes == modes && store.settings.seed == 9)
    }

    @Test(arguments: [nil, 0, 2, 99])
    func anotherVersionIsAnsweredAtOnce(version: Int?) async {
        let settings = await store.settings(after: version, wait: .seconds(3600))
        #expect(settings.version == 1)
    }

    @Test func withoutAWaitTheAnswerComesAtOnce() async {
        #expect(await store.settings(after: 1, wait: .zero).version == 1)
        #expect(await store.settings(after: 1, wait: .seconds(-1)).version == 1)
    }

    @Test func aChangeWakesEveryPoll() async throws {
        try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<100 { group.addTask { await store.settings(after: 1, wait: .seconds(3600)).version } }
            try await eventually { store.waitingCount == 100 }
            store.change { $0.stolenCardEnabled = true }
            for try await version in group { #expect(version == 2) }
        }
        #expect(store.waitingCount == 0)
    }

    @Test func aPollWithoutAChangeEndsWithItsWait() async {
        #expect(await store.settings(after: 1, wait: .milliseconds(20)).version == 1)
        #expect(store.waitingCount == 0)
    }

    @Test func aCancelledPollLeavesNothingBehind() async throws {
        let polls = (0..<20).map { _ in Task { await store.settings(after: 1, wait: .seconds(3600)).version } }
        try await eventually { store.waitingCount == 20 }
        for poll in polls { poll.cancel() }
        for poll in polls { #expect(await poll.value == 1) }
        #expect(store.waitingCount == 0)
    }

    @Test func aPollOfACancelledTaskDoesNotWait() async {
        let poll = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return await store.settings(after: 1, wait: .seconds(3600)).version
        }
        #expect(await poll.value == 1)
        #expect(store.waitingCount == 0)
    }

    @Test func pollsBeyondTheLimitAreAnsweredAtOnce() async throws {
        let polls = (0..<FailureModesStore.maxWaiting).map { _ in
            Task { await store.settings(after: 1, wait: .seconds(3600)).version }
        }
        try await eventually { store.waitingCount == FailureModesStore.maxWaiting }
        #expect(await store.settings(after: 1, wait: .seconds(3600)).version == 1)
        store.change { _ in }
        for poll in polls { #expect(await poll.value == 2) }
    }

    /// Changes and polls race from many tasks; a change that a poll missed would leave it waiting for an hour.
    @Test(.timeLimit(.minutes(1))) func noPollMissesAChange() async {
        let changes = 500
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    var version = 1
                    while version < changes + 1 {
                        let next = await store.settings(after: version, wait: .seconds(3600)).version
                        #expect(next > version)
                        version = next
                    }
                }
            }
            group.addTask {
                for number in 1...changes {
                    store.change { $0.cardDeclineProbability = Double(number % 100) }
                    await Task.yield()
                }
            }
        }
        #expect(store.waitingCount == 0)
    }
}
