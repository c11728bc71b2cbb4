import Foundation
import Logging
import ServiceLifecycle
import Shared
import Synchronization
import TestSupport
import Testing
import Verdict

@testable import ScenarioRunner

/// What becomes of the fault, whatever happens to the run.
@Suite struct RunLifeTests {
    private static func options(_ failures: FakeEngine.Failures) -> RunnerLab.Options {
        var options = RunnerLab.Options()
        options.engine = FakeEngine(failures)
        return options
    }

    @Test func theFaultGoesWhenItCannotBeRead() async throws {
        try await RunnerLab.run(Self.options(.init(reading: "the counter is gone"))) { lab in
            let id = try lab.manager.start(RunnerLab.request(rate: 20, fault: .milliseconds(50))).id
            let (view, journal) = try await lab.ended(id)
            #expect(lab.engine.log == ["inject loss-a", "remove loss-a"])
            #expect(view.verdict == .invalid)
            #expect(view.reasons.first == "the dose could not be read: the counter is gone")
            #expect(journal.dose == nil && lab.manager.rateLimitStatus.activeExperiments == 0)
        }
    }

    @Test func theFaultGoesWhenTheLoadDies() async throws {
        try await RunnerLab.run { lab in
            let id = try lab.manager.start(RunnerLab.request(rate: 50, fault: .seconds(600))).id
            try await eventually { lab.view(id)?.phase == .fault }
            lab.load.death.open()
            let (view, _) = try await lab.ended(id)
            #expect(lab.engine.log == ["inject loss-a", "remove loss-a"], "no task of the removal is cancelled")
            #expect(view.verdict == .invalid)
            #expect(view.reasons.first == "the load generator ended with signal 9")
        }
    }

    @Test func aLoadThatDiesBeforeTheFaultEndsTheRun() async throws {
        try await RunnerLab.run { lab in
            lab.load.death.open()
            let id = try lab.manager.start(RunnerLab.request(rate: 50, baseline: .seconds(600))).id
            let (view, _) = try await lab.ended(id)
            #expect(view.verdict == .invalid && lab.engine.log.isEmpty)
        }
    }

    @Test(arguments: [0, 20])
    func aFaultThatStaysIsSaidToStay(rate: Int) async throws {
        try await RunnerLab.run(Self.options(.init(removal: "nft is stuck"))) { lab in
            let id = try lab.manager.start(RunnerLab.request(rate: rate, recovery: .seconds(600))).id
            let (view, journal) = try await lab.ended(id)
            #expect(view.verdict == .invalid)
            #expect(view.reasons.first == "the fault could not be removed: nft is stuck")
            #expect(!view.reasons.contains { $0.contains("recovered") })
            #expect(view.recoveryTimeMs == nil && journal.phase(.recovery) == nil)
            #expect(!journal.events.contains { $0.name == "fault_removed" })
        }
    }

    @Test func whatAFailedInjectionLeavesIsTakenAway() async throws {
        let failures = FakeEngine.Failures(injection: "no worker started", takingBack: "nft is busy")
        try await RunnerLab.run(Self.options(failures)) { lab in
            let (view, journal) = try await lab.ended(try lab.manager.start(RunnerLab.request()).id)
            #expect(lab.engine.log == ["inject loss-a", "remove loss-a"])
            #expect(view.verdict == .invalid)
            #expect(view.reasons.first == "the fault could not be put in force: no worker started")
            #expect(journal.events.contains { $0.name == "removal_failed" && $0.detail == "nft is busy" })
            #expect(lab.manager.rateLimitStatus.activeExperiments == 0)
        }
    }

    @Test func whatAFailedInjectionLeavesAndCannotBeTakenAwayKeepsItsPlace() async throws {
        let failures = FakeEngine.Failures(
            injection: "no worker started", takingBack: "nft is busy", removal: "nft is stuck")
        try await RunnerLab.run(Self.options(failures)) { lab in
            let (view, _) = try await lab.ended(try lab.manager.start(RunnerLab.request()).id)
            #expect(view.verdict == .invalid && view.reasons.first == "the fault could not be removed: nft is stuck")
            #expect(lab.manager.rateLimitStatus.activeExperiments == 1)
        }
    }

    @Test func bothFailuresAreSaid() async throws {
        let failures = FakeEngine.Failures(reading: "the counter is gone", removal: "nft is stuck")
        try await RunnerLab.run(Self.options(failures)) { lab in
            let (view, _) = try await lab.ended(try lab.manager.start(RunnerLab.request()).id)
            #expect(
                view.reasons == [
                    "the dose could not be read: the counter is gone; the fault could not be removed: nft is stuck"
                ])
        }
    }

    @Test func stoppingDoesNotHideAFaultThatStays() async throws {
        try await RunnerLab.run(Self.options(.init(removal: "nft is stuck"))) { lab in
            let id = try lab.manager.start(RunnerLab.request(fault: .seconds(600))).id
            try await eventually { lab.view(id)?.phase == .fault }
            _ = try lab.manager.stop(id)
            let (view, _) = try await lab.ended(id)
            #expect(view.verdict == .invalid && view.reasons.first == "the fault could not be removed: nft is stuck")
        }
    }

    @Test(arguments: [0, 20])
    func cancellingTheRunnerRemovesEveryFault(rate: Int) async throws {
        let kept = Mutex<RunnerLab?>(nil)
        let ids = Mutex<[String]>([])
        try await RunnerLab.run { lab in
            for name in ["loss-a", "loss-b"] {
                let id = try lab.manager.start(RunnerLab.request(name, rate: rate, fault: .seconds(600))).id
                ids.withLock { $0.append(id) }
                try await eventually { lab.view(id)?.phase == .fault }
            }
            kept.withLock { $0 = lab }
        }
        let lab = try #require(kept.withLock { $0 })
        #expect(lab.engine.log.count == 4 && lab.engine.inForce == 0)
        for id in ids.withLock({ $0 }) {
            #expect(lab.view(id)?.verdict == .aborted)
            #expect(lab.view(id)?.reasons.first == "the run was stopped")
        }
    }

    @Test func aGracefulShutdownStopsTheRunsFirst() async throws {
        var options = RunnerLab.Options()
        options.works = false
        try await RunnerLab.run(options) { lab in
            let (gone, goes) = AsyncStream.makeStream(of: Void.self)
            let group = ServiceGroup(
                configuration: .init(
                    services: [.init(service: lab.manager, successTerminationBehavior: .gracefullyShutdownGroup)],
                    logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }))
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask {
                    try await group.run()
                    goes.finish()
                }
                let id = try lab.manager.start(RunnerLab.request(fault: .seconds(600))).id
                try await eventually { lab.view(id)?.phase == .fault }
                await group.triggerGracefulShutdown()
                for await _ in gone {}
                #expect(lab.engine.log == ["inject loss-a", "remove loss-a"])
                #expect(lab.view(id)?.verdict == .aborted)
                try await tasks.waitForAll()
            }
        }
    }

    @Test func everyPhaseIsPublishedInOrder() async throws {
        try await RunnerLab.run { lab in
            let stream = try #require(lab.events.subscribe())
            let id = try lab.manager.start(RunnerLab.request(rate: 20, fault: .milliseconds(1700))).id
            _ = try await lab.ended(id)
            var phases: [String] = []
            var names: Set<String> = []
            for await event in stream {
                names.insert(event.name)
                guard event.name == "run" else { continue }
                let run = try JSONDecoder().decode(RunView.self, from: Data(event.data.utf8))
                #expect(run.id == id)
                phases.append(run.phase?.rawValue ?? run.state.rawValue)
                // Published a moment after it can be asked for.
                if run.state == .finished { break }
            }
            #expect(phases == ["starting", "warm-up", "baseline", "fault", "recovery", "settle", "finished"])
            #expect(names.subtracting(["topology"]) == ["run", "rate_limit", "second"])
            #expect(!lab.live.recent(at: UnixTime.now.seconds).seconds.isEmpty, "pages that open later are told too")
        }
    }

    @Test func theStockIsFilledByAllThatARunCanSell() async throws {
        let quantities = Mutex<[Int]>([])
        var options = RunnerLab.Options()
        options.restock = { quantity in quantities.withLock { $0.append(quantity) } }
        try await RunnerLab.run(options) { lab in
            let id = try lab.manager.start(RunnerLab.request(rate: 20)).id
            _ = try await lab.ended(id)
            let order = try #require(lab.load.orders.first)
            #expect(quantities.withLock { $0 } == [Int(order.atMost.seconds * 20)])
            // A trigger without load sells nothing.
            _ = try await lab.ended(try lab.manager.start(RunnerLab.request(rate: 0)).id)
            #expect(quantities.withLock { $0.count } == 1 && lab.load.orders.count == 1)
        }
    }

    /// Everything else is well: dose, baseline, recovery.
    @Test(arguments: [nil, "the payment service has no audit"])
    func booksThatCannotBeReadMakeARunInvalid(reason: String?) async throws {
        var options = RunnerLab.Options()
        if let reason { options.money = MoneyCheck(notChecked: reason) }
        try await RunnerLab.run(options) { lab in
            let request = try RunnerLab.request(rate: 50, baseline: .milliseconds(500), recovery: .seconds(4))
            let (view, journal) = try await lab.ended(try lab.manager.start(request).id)
            #expect(view.verdict == (reason == nil ? .held : .invalid), "\(view.reasons)")
            #expect(view.reasons.last == (reason.map { "the money was not checked: \($0)" } ?? "the money is right"))
            #expect(journal.money.notChecked == reason)
        }
    }

    @Test func stoppingDoesNotWaitForTheStock() async throws {
        var options = RunnerLab.Options()
        options.restock = { _ in try await Task.sleep(for: .seconds(3600)) }
        try await RunnerLab.run(options) { lab in
            let id = try lab.manager.start(RunnerLab.request(rate: 20)).id
            _ = try lab.manager.stop(id)
            let (view, _) = try await lab.ended(id)
            #expect(view.verdict == .aborted && lab.load.orders.isEmpty)
        }
    }

    @Test func onlyTheLastRunsAreRemembered() async throws {
        try await RunnerLab.run { lab in
            var first: String?
            for _ in 0...RunManager.maxRemembered {
                let id = try lab.manager.start(RunnerLab.request(fault: .zero)).id
                first = first ?? id
                _ = try await lab.ended(id)
            }
            #expect(lab.manager.views.count == RunManager.maxRemembered)
            let id = try #require(first)
            #expect(lab.view(id) == nil)
            let file = lab.folder.runs.appendingPathComponent("\(id).json")
            #expect(FileManager.default.fileExists(atPath: file.path), "its journal stays")
        }
    }
}
