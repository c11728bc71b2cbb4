import Foundation
import Hummingbird
import Load
import ServiceTesting
import Shared
import TestSupport
import Testing
import Verdict

@testable import ScenarioRunner

/// The kill switch, over HTTP.
@Suite struct HaltTests {
    private static func body(_ name: String) -> String {
        #"{"experiment": "\#(name)", "origin": "command-line", "duration": "15m"}"#
    }

    @Test func everyFaultIsGoneWhenItAnswers() async throws {
        try await RunnerLab.serve { lab, server in
            for name in ["loss-a", "loss-b", "loss-c"] {
                _ = try lab.manager.start(RunnerLab.request(name, fault: .seconds(600)))
            }
            try await eventually { lab.engine.inForce == 3 }
            _ = try await server.send("POST", "/api/payment-scenarios/card-decline?enabled=true&probability=100")
            let answer = try await server.send("POST", "/api/halt").json()
            #expect(lab.engine.inForce == 0)
            #expect(answer["status"] == .string("success") && answer["stopped"]?.elements.count == 3)
            #expect(answer["remaining"] == .array([]))
            #expect(try await server.get("/api/halt").json()["halted"] == .bool(true))
            let modes = try await server.get("/api/payment-scenarios").json()["scenarios"]
            #expect(modes?["card_decline_enabled"] == .bool(false), "payment failures are faults too")
            for view in lab.manager.views {
                let (ended, _) = try await lab.ended(view.id)
                #expect(ended.verdict == .aborted && ended.reasons.first == "everything was halted")
            }
        }
    }

    @Test func nothingStartsUntilItIsRearmed() async throws {
        try await RunnerLab.serve { lab, server in
            _ = try await server.send("POST", "/api/halt")
            let refused = try await server.post("/api/runs", json: Self.body("loss-a"))
            #expect(refused.status == 423)
            #expect(try refused.json()["detail"]?.text?.contains("/api/rearm") == true)
            for path in [
                "/api/trigger_chaos/loss-a", "/api/payment-scenarios/stolen-card?enabled=true",
            ] {
                let answer = try await server.send("POST", path)
                #expect(answer.status == 423, "\(path)")
                #expect(try answer.json()["status"] == .string("error"), "\(path)")
            }
            // To switch off is always allowed, and what is unknown is unknown first.
            #expect(try await server.send("POST", "/api/payment-scenarios/stolen-card?enabled=false").status == 200)
            #expect(try await server.post("/api/runs", json: Self.body("nothing")).status == 404)
            #expect(try await server.get("/api/chaos-rate-limit-status").json()["can_trigger_new"] == .bool(false))
            #expect(try await server.send("POST", "/api/rearm").status == 200)
            #expect(try await server.post("/api/runs", json: Self.body("loss-a")).status == 202)
        }
    }

    @Test func loadsEndAndNoneStarts() async throws {
        let schemas = try OpenAPISchemas(yaml: String(decoding: RunnerAPI.openAPI, as: UTF8.self))
        let body = #"{"profile_yaml": "name: look\nrequests: [{name: look, path: /look}]", "duration": "10m"}"#
        let route = Route.get("/look") { _, _ in Response(status: .ok) }
        try await withServer(routes: [route]) { target in
            var options = RunnerLab.Options()
            options.loadTarget = "http://127.0.0.1:\(target.port)"
            try await RunnerLab.serve(options) { lab, server in
                let id = try #require(try await server.post("/api/load", json: body).json()["id"])
                try await eventually("requests") { lab.loads.current()?.view.progress?.requests ?? 0 > 0 }
                let halt = try await server.send("POST", "/api/halt").json()
                #expect(halt["stopped"]?.elements == [id])
                try await eventually("the end of the load") { lab.loads.current()?.view.isUnderWay == false }
                #expect(lab.loads.current()?.view.summary?.wasStopped == true)

                let refused = try await server.post("/api/load", json: body)
                #expect(refused.status == 423)
                let problem = try refused.json()
                #expect(schemas.problems(of: problem, to: "POST /api/load", status: 423) == [])
                #expect(problem["detail"]?.text?.contains("/api/rearm") == true)
                #expect(lab.loads.current()?.view.id == id.text, "what was refused has left no trace")
                #expect(try await server.send("POST", "/api/halt").json()["stopped"] == .array([]))

                _ = try await server.send("POST", "/api/rearm")
                #expect(try await server.post("/api/load", json: body).status == 202)
                #expect(try await server.send("POST", "/api/load/stop").status == 200)
                try await eventually("the end of the load") { lab.loads.current()?.view.isUnderWay == false }
            }
        }
    }

    @Test func aRunnerThatStartsAnewIsStillHalted() async throws {
        var options = RunnerLab.Options()
        options.remembersHalt = true
        try await RunnerLab.serve(options) { lab, server in
            #expect(!lab.restarted(remembersHalt: true).isHalted)
            for _ in 0..<2 { _ = try await server.send("POST", "/api/halt") }
            let anew = lab.restarted(remembersHalt: true)
            #expect(anew.isHalted && !anew.rateLimitStatus.canTriggerNew)
            let refusal = #expect(throws: Problem.self) { try anew.start(RunnerLab.request()) }
            #expect(refusal?.status == .locked)
            #expect(!lab.restarted().isHalted, "a lab is started by hand, and armed")
            for _ in 0..<2 { anew.rearm() }
            #expect(!lab.restarted(remembersHalt: true).isHalted)
        }
    }

    @Test func aHaltThatCannotBeWrittenDownHolds() async throws {
        var options = RunnerLab.Options()
        options.remembersHalt = true
        try await RunnerLab.serve(options) { lab, server in
            let place = lab.folder.root.appendingPathComponent("halted")
            try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
            #expect(try await server.send("POST", "/api/halt").status == 200)
            #expect(lab.manager.isHalted)
        }
    }

    @Test func aRunBeforeItsFaultGetsNone() async throws {
        try await RunnerLab.serve { lab, server in
            let id = try lab.manager.start(RunnerLab.request(rate: 20, baseline: .seconds(600))).id
            try await eventually { lab.view(id)?.phase == .warmUp }
            #expect(try await server.send("POST", "/api/halt").json()["status"] == .string("success"))
            let (view, _) = try await lab.ended(id)
            #expect(view.verdict == .aborted && lab.engine.log.isEmpty)
        }
    }

    @Test func aFaultThatIsBeingPutInForceIsTakenBack() async throws {
        var options = RunnerLab.Options()
        options.engine = FakeEngine(.init(injectionTime: .seconds(3600)))
        options.cooldown = .seconds(60)
        try await RunnerLab.run(options) { lab in
            let id = try lab.manager.start(RunnerLab.request(fault: .seconds(600))).id
            try await eventually { !lab.engine.log.isEmpty }
            let (stopped, remaining) = await lab.manager.halt()
            #expect(stopped == [id] && remaining.isEmpty)
            let (view, journal) = try await lab.ended(id)
            #expect(view.verdict == .aborted && view.reasons.first == "everything was halted", "\(view.reasons)")
            #expect(journal.events.contains { $0.name == "injection_withdrawn" })
            #expect(lab.engine.inForce == 0 && lab.manager.rateLimitStatus.activeExperiments == 0)
        }
    }

    @Test func aFaultThatDoesNotGoIsNamed() async throws {
        var options = RunnerLab.Options()
        options.engine = FakeEngine(.init(removal: "nft is stuck"))
        try await RunnerLab.run(options) { lab in
            let id = try lab.manager.start(RunnerLab.request(fault: .seconds(600))).id
            try await eventually { lab.view(id)?.phase == .fault }
            let (stopped, remaining) = await lab.manager.halt()
            #expect(stopped == [id] && remaining == [id])
            let (view, journal) = try await lab.ended(id)
            #expect(view.verdict == .invalid && view.reasons.first?.contains("nft is stuck") == true)
            #expect(journal.events.contains { $0.name == "removal_failed" })
            #expect(lab.manager.rateLimitStatus.activeExperiments == 1, "what is still in force keeps its place")
        }
    }

    @Test func twoFaultsInOnePlaceAreRefused() async throws {
        var options = RunnerLab.Options()
        options.engine = FakeEngine(places: ["loss-a": "payment-0", "loss-b": "payment-0"])
        try await RunnerLab.serve(options) { _, server in
            let first = try await server.post("/api/runs", json: Self.body("loss-a")).json()
            let refused = try await server.post("/api/runs", json: Self.body("loss-b"))
            #expect(refused.status == 409)
            let problem = try refused.json()
            #expect(problem["run_id"] == first["id"] && problem["experiment"] == .string("loss-a"))
            let wait = try #require(refused.headers["retry-after"].flatMap(Int.init))
            #expect(wait > 0)
        }
    }

    @Test func everythingAtOnceIsRefusedUnlessItIsAllowed() async throws {
        var options = RunnerLab.Options()
        options.allReplicas = ["loss-a"]
        try await RunnerLab.serve(options) { lab, server in
            let refused = try await server.post("/api/runs", json: Self.body("loss-a"))
            #expect(refused.status == 422 && refused.headers["retry-after"] == nil)
            #expect(try refused.json()["detail"]?.text?.contains("--allow-total") == true)
            let plan = try await server.get("/api/experiments/loss-a/plan").json()
            #expect(plan["refusal"]?.text?.contains("every replica of every service") == true)
            #expect(lab.engine.log.isEmpty && lab.manager.rateLimitStatus.activeExperiments == 0)
        }
        options.allReplicas = ["loss-a", "loss-b"]
        try await RunnerLab.serve(options) { _, server in
            #expect(try await server.post("/api/runs", json: Self.body("loss-a")).status == 202)
            let refused = try await server.post("/api/runs", json: Self.body("loss-b"))
            #expect(refused.status == 409 && refused.headers["retry-after"].flatMap(Int.init) ?? 0 > 0)
            #expect(try await server.post("/api/runs", json: Self.body("loss-c")).status == 202)
        }
        options.allowsTotal = true
        try await RunnerLab.serve(options) { _, server in
            for name in ["loss-a", "loss-b"] {
                let started = try await server.post("/api/runs", json: Self.body(name))
                #expect(started.status == 202)
            }
        }
    }

    @Test func thePlanSaysWhatWouldHappenAndChangesNothing() async throws {
        try await RunnerLab.serve { lab, server in
            let plan = try await server.get("/api/experiments/loss-a/plan?seed=7").json()
            #expect(plan["seed"] == .integer(7) && plan["steps"]?.elements.count == 1 && plan["refusal"] == .null)
            let refused = try await server.get("/api/experiments/schedule-a/plan")
            #expect(refused.status == 404)
            #expect(lab.engine.log.isEmpty && lab.manager.views.isEmpty)
        }
    }
}
