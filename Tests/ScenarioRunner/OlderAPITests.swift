import Foundation
import HTTPTypes
import Shared
import TestSupport
import Testing
import Verdict

@testable import ScenarioRunner

/// The endpoints of the old system, and the documents that the page draws.
@Suite struct OlderAPITests {
    @Test(arguments: [("/api/trigger_chaos/loss-a", "5m"), ("/api/trigger_stress/stress-a", "1m")])
    func aTriggerStartsOneFaultWithoutLoad(path: String, duration: String) async throws {
        var options = RunnerLab.Options()
        options.cooldown = .seconds(300)
        try await RunnerLab.serve(options) { lab, server in
            let answer = try await server.send("POST", path)
            #expect(answer.status == 200, "scripts of the old system look for 200: \(answer.text)")
            let name = try #require(path.split(separator: "/").last)
            let json = try answer.json()
            #expect(json["status"] == .string("success"))
            #expect(json["message"] == .string("\(name) started for \(duration)."))
            #expect(json["cooldown_minutes"] == .integer(5))
            let id = try #require(json["run_id"]?.text)
            try await eventually { lab.view(id)?.phase == .fault }
            #expect(lab.load.orders.isEmpty && lab.engine.log == ["inject \(name)"])
            // It has the cooldown of the API.
            let refused = try await server.send("POST", "/api/trigger_chaos/loss-b")
            #expect(refused.status == 429 && refused.headers["retry-after"] != nil)
            #expect(try refused.json()["status"] == .string("error"))
            #expect(try refused.json()["message"]?.text?.hasPrefix("Rate limit exceeded. Please wait ") == true)
        }
    }

    @Test func aTriggerIsJudgedByItsDose() async throws {
        try await RunnerLab.run { lab in
            let (view, _) = try await lab.ended(
                try lab.manager.start(RunnerLab.request(fault: .milliseconds(30))).id)
            #expect(view.verdict == .held)
            #expect(view.reasons.last == "no load was put on the system, so no impact was measured")
        }
    }

    @Test(arguments: [
        ("/api/trigger_chaos/nothing", "There is no experiment nothing"),
        ("/api/trigger_chaos/stress-a", "use /api/trigger_stress/stress-a"),
        ("/api/trigger_stress/loss-a", "use /api/trigger_chaos/loss-a"),
        ("/api/trigger_stress/%2e%2e%2fsecret", "There is no experiment ../secret"),
    ])
    func whatIsNotThereIs404InBothShapes(path: String, words: String) async throws {
        try await RunnerLab.serve { lab, server in
            let answer = try await server.send("POST", path)
            #expect(answer.status == 404)
            let json = try answer.json()
            #expect(json["status"] == .string("error"))
            #expect(json["message"]?.text?.contains(words) == true, "\(answer.text)")
            #expect(json["detail"] == json["message"])
            #expect(lab.engine.log.isEmpty)
        }
    }

    @Test func whatTheEngineCannotDoIs422InBothShapes() async throws {
        try await RunnerLab.serve { _, server in
            let answer = try await server.send("POST", "/api/trigger_chaos/delay-a")
            #expect(answer.status == 422)
            #expect(try answer.json()["status"] == .string("error"))
            #expect(try answer.json()["field"] == .string("spec.device"))
        }
    }

    @Test func everyScenarioIsInOneList() async throws {
        try await RunnerLab.serve { lab, server in
            lab.api.failureModes.change {
                $0.cardDeclineEnabled = true
                $0.cardDeclineProbability = 20
            }
            let scenarios = try await server.get("/api/scenarios").json().elements
            func scenario(_ name: String) -> JSONValue? { scenarios.first { $0["name"] == .string(name) } }
            #expect(scenario("loss-a")?["type"] == .string("chaos-mesh"))
            #expect(scenario("loss-a")?["description"] == .string("About loss-a"))
            #expect(scenario("stress-a")?["type"] == .string("stress-chaos"))
            let decline = try #require(scenario("card-decline"))
            #expect(decline["type"] == .string("payment") && decline["target_service"] == .string("payment-service"))
            #expect(decline["enabled"] == .bool(true) && decline["config"]?["probability"] == .integer(20))
            #expect(scenario("gateway-timeout")?["enabled"] == .bool(false))
            #expect(scenario("gateway-timeout")?["config"]?["delay"] == .integer(10))
            #expect(scenarios.count == 11)
        }
    }

    @Test func theCatalogueSaysWhatIsPossible() async throws {
        try await RunnerLab.serve { lab, server in
            let documents = try await server.get("/api/experiments").json().elements
            #expect(
                documents.compactMap { $0["name"]?.text } == [
                    "loss-a", "loss-b", "loss-c", "loss-d", "delay-a", "stress-a",
                ])
            let loss = documents[0]
            #expect(loss["supported"] == .bool(true) && loss["refusal"] == .null)
            #expect(loss["duration"] == .string("5m") && loss["duration_s"] == .integer(300))
            #expect(loss["line"] == .integer(4) && loss["hypothesis"] == .null)
            let delay = documents[4]
            #expect(delay["supported"] == .bool(false) && delay["duration_s"] == .null)
            #expect(delay["refusal"]?.text?.contains("spec.device") == true)

            // A file that changes counts at once, and one that does not load is named.
            let folder = URL(fileURLWithPath: lab.api.runs.experiments.path)
            try Data("a: [".utf8).write(to: folder.appendingPathComponent("9-bad.yaml"))
            let unknown = try await server.post("/api/runs", json: #"{"experiment": "loss-z"}"#)
            #expect(try unknown.json()["detail"]?.text?.contains("9-bad.yaml") == true)
            let problems = try await server.get("/api/experiments/problems").json()["problems"]?.elements ?? []
            #expect(problems.map { $0["file"] } == [.string(folder.appendingPathComponent("9-bad.yaml").path)])
            #expect(problems.first?["field"] == .string("") && problems.first?["reason"]?.text?.isEmpty == false)
        }
    }

    @Test func theTopologyHasEveryReplica() async throws {
        try await RunnerLab.serve { _, server in
            let topology = try await server.get("/api/topology").json()
            let services = topology["services"]?.elements ?? []
            let replicas = services.first?["replicas"]?.elements ?? []
            try #require(services.count == 3 && replicas.count == 3)
            #expect(services.map { $0["port"] } == [.integer(5002), .integer(5003), .integer(5004)])
            #expect(services[0]["name"] == .string("payment-service"))
            #expect(
                replicas[2]
                    == .object([
                        "name": .string("payment-2"), "address": .string("10.77.1.3"), "port": .integer(5002),
                        "state": .string("stopped"), "restarts": .integer(0),
                    ]))
        }
    }

    @Test func everyPathAlsoAnswersUnderTheOlderPrefix() async throws {
        try await RunnerLab.serve { lab, server in
            let readable = lab.api.apiRoutes.filter { $0.method == .get && !$0.path.contains("{") }.map(\.path)
            #expect(readable.count >= 8)
            // They need two runs, a load that was started, and a payment service.
            let statuses = ["/api/compare": 422, "/api/load": 404, "/api/payments": 502]
            for path in readable where path != "/api/events" {
                let answer = try await server.get("/scenario-runner\(path)")
                let own = try await server.get(path)
                #expect(answer.status == statuses[path, default: 200] && own.status == answer.status, "\(path)")
                if own.status == 200 {
                    #expect(answer.text == own.text, "\(path)")
                } else {
                    #expect(try answer.json()["detail"] == own.json()["detail"], "\(path)")
                }
            }
            let posted = lab.api.apiRoutes.filter { $0.method == .post }.map(\.path)
            for path in posted {
                let filled = path.replacing("{id}", with: "RUN-1").replacing("{name}", with: "nothing")
                let answer = try await server.send("POST", "/scenario-runner\(filled)")
                let own = try await server.send("POST", filled)
                #expect(answer.status == own.status && answer.status != 405, "\(path)")
            }
            let id = try lab.manager.start(RunnerLab.request()).id
            #expect(try await server.get("/scenario-runner/api/runs/\(id)").status == 200)
            let events = try RawConnection(port: server.port)
            try await events.send("GET /scenario-runner/api/events HTTP/1.1\r\nHost: a\r\n\r\n")
            let text = try await events.receive(until: "\n\n")
            #expect(text.contains("event: snapshot\ndata: {") && text.contains(id))
            events.disconnect()
        }
    }

    @Test(arguments: ["/", "/scenario-runner", "/scenario-runner/home"])
    func thePageHasThreeAddresses(path: String) async throws {
        try await RunnerLab.serve { _, server in
            let answer = try await server.get(path)
            #expect(answer.status == 200 && answer.headers["content-type"] == "text/html; charset=utf-8")
        }
    }
}
