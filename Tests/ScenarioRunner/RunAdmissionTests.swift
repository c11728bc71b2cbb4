import Foundation
import Shared
import TestSupport
import Testing
import Verdict

@testable import ScenarioRunner

/// Who may start a run, and when a place is free again.
@Suite struct RunAdmissionTests {
    private static func body(_ name: String, origin: String = "command-line") -> String {
        #"{"experiment": "\#(name)", "origin": "\#(origin)", "duration": "15m"}"#
    }

    private static var coolingDown: RunnerLab.Options {
        var options = RunnerLab.Options()
        options.cooldown = .seconds(60)
        return options
    }

    @Test(arguments: ["page", "api"])
    func theCooldownHoldsForThePageAndTheAPI(origin: String) async throws {
        try await RunnerLab.serve(Self.coolingDown) { _, server in
            #expect(try await server.post("/api/runs", json: Self.body("loss-a", origin: origin)).status == 202)
            let refused = try await server.post("/api/runs", json: Self.body("loss-b", origin: origin))
            #expect(refused.status == 429)
            let seconds = try #require(refused.headers["retry-after"].flatMap(Int.init))
            #expect((1...60).contains(seconds))
            #expect(try refused.json()["retry_after"] == .integer(Int64(seconds)))
            #expect(try refused.json()["cooldown_remaining_seconds"] == .integer(Int64(seconds)))
            // The cooldown comes before the conflict.
            #expect(try await server.post("/api/runs", json: Self.body("loss-a", origin: origin)).status == 429)

            let status = try await server.get("/api/chaos-rate-limit-status").json()
            #expect(status["can_trigger_new"] == .bool(false) && status["active_experiments"] == .integer(1))
            #expect(status["cooldown_minutes"] == .integer(1) && status["max_concurrent"] == .integer(3))
            let reset = try await server.send("POST", "/api/chaos-rate-limit-reset")
            #expect(try reset.json()["status"] == .string("success"))
            #expect(try await server.post("/api/runs", json: Self.body("loss-b", origin: origin)).status == 202)
        }
    }

    @Test func theCommandLineDoesNotCoolDown() async throws {
        try await RunnerLab.serve(Self.coolingDown) { _, server in
            for (name, origin) in [("loss-a", "command-line"), ("loss-b", "command-line"), ("loss-c", "page")] {
                let answer = try await server.post("/api/runs", json: Self.body(name, origin: origin))
                #expect(answer.status == 202, "\(name)")
            }
        }
    }

    @Test func thereAreThreePlaces() async throws {
        try await RunnerLab.serve { lab, server in
            var ids: [String] = []
            for name in ["loss-a", "loss-b", "loss-c"] {
                let answer = try await server.post("/api/runs", json: Self.body(name))
                ids.append(try #require(try answer.json()["id"]?.text))
            }
            let refused = try await server.post("/api/runs", json: Self.body("loss-d"))
            #expect(refused.status == 429 && refused.headers["retry-after"].flatMap(Int.init) ?? 0 >= 1)
            #expect(try refused.json()["active_experiments"] == .integer(3))
            _ = try await server.send("POST", "/api/runs/\(ids[1])/stop")
            _ = try await lab.ended(ids[1])
            #expect(try await server.post("/api/runs", json: Self.body("loss-d")).status == 202)
        }
    }

    @Test func oneExperimentRunsOnce() async throws {
        try await RunnerLab.serve { lab, server in
            let first = try await server.post("/api/runs", json: Self.body("loss-a")).json()
            let refused = try await server.post("/api/runs", json: Self.body("loss-a"))
            #expect(refused.status == 409)
            #expect(try refused.json()["run_id"] == first["id"])
            #expect(lab.manager.rateLimitStatus.activeExperiments == 1, "the refused one takes no place")
            // Another kind in between, and after its end the same again.
            let id = try #require(first["id"]?.text)
            _ = try lab.manager.stop(id)
            _ = try await lab.ended(id)
            #expect(try await server.post("/api/runs", json: Self.body("loss-a")).status == 202)
        }
    }

    @Test func thePlaceIsFreeOnceTheFaultIsGone() async throws {
        try await RunnerLab.run { lab in
            let id = try lab.manager.start(RunnerLab.request(rate: 20, recovery: .seconds(600))).id
            try await eventually { lab.view(id)?.phase == .recovery }
            #expect(
                lab.manager.rateLimitStatus.activeExperiments == 0, "users are still watched, but nothing is broken")
            #expect(lab.engine.inForce == 0)
        }
    }

    @Test func aFaultThatNeverWasGivesItsCooldownBack() async throws {
        var options = Self.coolingDown
        options.engine = FakeEngine(.init(injection: "nft said no"))
        try await RunnerLab.run(options) { lab in
            let id = try lab.manager.start(RunnerLab.request(origin: .api)).id
            let (view, _) = try await lab.ended(id)
            #expect(view.verdict == .invalid)
            #expect(view.reasons == ["the fault could not be put in force: nft said no"])
            let status = lab.manager.rateLimitStatus
            #expect(status.canTriggerNew && status.cooldownRemainingSeconds == 0 && status.activeExperiments == 0)
        }
    }

    @Test func aRunStoppedBeforeItsFaultGivesItsCooldownBack() async throws {
        try await RunnerLab.run(Self.coolingDown) { lab in
            let id = try lab.manager.start(RunnerLab.request(origin: .page, rate: 20, baseline: .seconds(600))).id
            try await eventually { lab.view(id)?.phase == .warmUp }
            _ = try lab.manager.stop(id)
            let (view, _) = try await lab.ended(id)
            #expect(view.verdict == .aborted && lab.engine.log.isEmpty)
            #expect(lab.manager.rateLimitStatus.canTriggerNew)
        }
    }

    @Test func aRunWithoutStockGivesItsCooldownBack() async throws {
        var options = Self.coolingDown
        options.restock = { _ in throw LabError("the inventory did not take the restock: it answered 503") }
        try await RunnerLab.run(options) { lab in
            let id = try lab.manager.start(RunnerLab.request(origin: .page, rate: 20)).id
            let (view, _) = try await lab.ended(id)
            #expect(view.verdict == .invalid)
            #expect(view.reasons.first == "the inventory did not take the restock: it answered 503")
            #expect(lab.manager.rateLimitStatus.canTriggerNew && lab.load.orders.isEmpty && lab.engine.log.isEmpty)
        }
    }

    @Test func nothingStartsWhileTheRunnerShutsDown() async throws {
        var options = RunnerLab.Options()
        options.works = false
        try await RunnerLab.serve(options) { lab, server in
            await withTaskGroup(of: Void.self) { group in
                group.addTask { try? await lab.manager.run() }
                group.cancelAll()
            }
            let refused = try await server.post("/api/runs", json: Self.body("loss-a"))
            #expect(refused.status == 503 && refused.headers["retry-after"] == "5")
        }
    }
}
