import Foundation
import HTTPTypes
import Load
import ServiceTesting
import Shared
import TestSupport
import Testing

@testable import ScenarioRunner

/// The runner's OpenAPI document tells the truth.
@Suite struct OpenAPITests {
    private static let document = String(decoding: RunnerAPI.openAPI, as: UTF8.self)

    private func schemas() throws -> OpenAPISchemas { try OpenAPISchemas(yaml: Self.document) }

    @Test func itListsEveryEndpointAndNoOther() async throws {
        try await RunnerLab.run { lab in
            let pages = ["/", "/scenario-runner", "/scenario-runner/home"]
            let common = ["/health", "/health/ready", "/metrics", "/openapi.yaml"]
            let served =
                lab.api.apiRoutes.map { "\($0.method.rawValue) \($0.path)" } + (pages + common).map { "GET \($0)" }
            let listed = try OpenAPIDocument.endpoints(in: Self.document)
            #expect(listed.subtracting(served) == [], "listed but not served")
            #expect(Set(served).subtracting(listed) == [], "served but not listed")
        }
    }

    @Test func readingAnswersAsItSays() async throws {
        let schemas = try schemas()
        try await RunnerLab.serve { lab, server in
            let id = try lab.manager.start(RunnerLab.request(rate: 50, fault: .milliseconds(1700))).id
            let paths = [
                "/api/experiments", "/api/experiments/problems", "/api/scenarios", "/api/runs",
                "/api/payment-scenarios", "/api/service-settings",
                "/api/chaos-rate-limit-status", "/api/topology", "/api/halt", "/api/resilience", "/health",
                "/health/ready", "/api/money-check", "/api/settled",
            ]
            for path in paths {
                let answer = try await server.get(path).json()
                #expect(schemas.problems(of: answer, to: "GET \(path)", status: 200) == [], "\(path)")
            }
            for name in ["loss-a", "delay-a"] {
                let plan = try await server.get("/api/experiments/\(name)/plan?seed=3").json()
                #expect(schemas.problems(of: plan, to: "GET /api/experiments/{name}/plan", status: 200) == [])
            }
            let details = "GET /api/runs/{id}"
            let running = try await server.get("/api/runs/\(id)").json()
            #expect(schemas.problems(of: running, to: details, status: 200) == [])
            _ = try await lab.ended(id)
            let ended = try await server.get("/api/runs/\(id)").json()
            #expect(schemas.problems(of: ended, to: details, status: 200) == [])
            let missing = try await server.get("/api/runs/RUN-1").json()
            #expect(schemas.problems(of: missing, to: details, status: 404) == [])
        }
    }

    @Test func actingAnswersAsItSays() async throws {
        let schemas = try schemas()
        var options = RunnerLab.Options()
        options.cooldown = .seconds(60)
        try await RunnerLab.serve(options) { lab, server in
            func check(_ operation: String, _ path: String, _ status: Int, _ body: String? = nil) async throws {
                let answer =
                    if let body { try await server.post(path, json: body) } else {
                        try await server.send("POST", path)
                    }
                #expect(answer.status == status, "\(path): \(answer.text)")
                let problems = schemas.problems(of: try answer.json(), to: "POST \(operation)", status: status)
                #expect(problems == [], "\(operation), \(status)")
            }
            let scenario = "/api/payment-scenarios/gateway-timeout"
            try await check(scenario, "\(scenario)?enabled=true", 200)
            try await check(scenario, "\(scenario)?enabled=perhaps", 422)
            try await check("/api/payment-scenarios/reset", "/api/payment-scenarios/reset", 200)
            try await check("/api/runs", "/api/runs", 400, "{")
            try await check("/api/runs", "/api/runs", 404, #"{"experiment": "nothing"}"#)
            try await check("/api/runs", "/api/runs", 422, #"{"experiment": "loss-a", "rate": 0}"#)
            try await check("/api/runs", "/api/runs", 202, #"{"experiment": "loss-a"}"#)
            try await check("/api/runs", "/api/runs", 429, #"{"experiment": "loss-b"}"#)
            try await check(
                "/api/runs", "/api/runs", 409, #"{"experiment": "loss-a", "origin": "command-line"}"#)
            let triggerStress = "/api/trigger_stress/{name}"
            try await check(triggerStress, "/api/trigger_stress/stress-a", 429)
            try await check("/api/chaos-rate-limit-reset", "/api/chaos-rate-limit-reset", 200)
            try await check(triggerStress, "/api/trigger_stress/stress-a", 200)
            try await check(triggerStress, "/api/trigger_stress/nothing", 404)
            let id = try #require(lab.manager.views.last?.id)
            try await check("/api/runs/{id}/stop", "/api/runs/\(id)/stop", 200)
            try await check("/api/trigger_chaos/{name}", "/api/trigger_chaos/delay-a", 422)
            try await check("/api/halt", "/api/halt", 200)
            try await check("/api/runs", "/api/runs", 423, #"{"experiment": "loss-a"}"#)
            try await check("/api/rearm", "/api/rearm", 200)
        }
    }

    @Test func eventsAreAsItSays() async throws {
        let schemas = try schemas()
        let names = [
            "snapshot": "EventSnapshot", "run": "Run", "second": "EventSecond", "rate_limit": "RateLimit",
            "failure_modes": "FailureModes", "resilience": "Resilience", "halt": "Halt", "load": "Load",
            "topology": "Topology", "mark": "EventMark", "experiments": "EventExperiments",
        ]
        try await RunnerLab.serve { lab, server in
            // A page that opens late has missed a change and a second.
            _ = try await server.get("/api/experiments")
            _ = try await server.send("POST", "/api/payment-scenarios/card-decline?enabled=true")
            lab.live.add(LiveWindow().take(runID: "RUN-1", phase: .baseline).second)
            let page = try RawConnection(port: server.port)
            try await page.send("GET /api/events HTTP/1.1\r\nHost: a\r\n\r\n")
            try await page.receive(until: "event: snapshot")
            await lab.watch.look()
            let folder = URL(fileURLWithPath: lab.api.runs.experiments.path)
            try Data("a: [".utf8).write(to: folder.appendingPathComponent("9-bad.yaml"))
            _ = try await server.get("/api/experiments")
            _ = try await server.send("POST", "/api/payment-scenarios/reset")
            _ = try await server.put("/api/resilience", json: #"{"profile": "hardened"}"#)
            _ = await lab.manager.halt()
            lab.manager.rearm()
            let profile = LoadProfile.usual
            let order = LoadWorkerOrder(
                profile, shape: LoadShape(), seed: 1, runID: "LOAD-1", targets: .init(all: "http://127.0.0.1:1"))
            _ = try lab.loads.start(order, profile: profile.name)
            let id = try lab.manager.start(RunnerLab.request(rate: 20, fault: .milliseconds(1700))).id
            _ = try await lab.ended(id)
            let text = try await page.receive(until: #""state":"finished""#)
            page.disconnect()
            var seen: Set<String> = []
            // The last one may be cut off.
            for event in text.components(separatedBy: "event: ").dropFirst().dropLast() {
                let lines = event.components(separatedBy: "\n")
                guard lines.count > 1, lines[1].hasPrefix("data: ") else { continue }
                let value = try JSONDecoder().decode(JSONValue.self, from: Data(lines[1].dropFirst(6).utf8))
                let schema = try #require(names[lines[0]], "\(lines[0])")
                #expect(schemas.problems(of: value, as: schema) == [], "\(lines[0])")
                if lines[0] == "snapshot" {
                    #expect(value["seconds"]?.elements.isEmpty == false && value["marks"]?.elements.count == 1)
                }
                seen.insert(lines[0])
            }
            #expect(seen == Set(names.keys))
        }
    }

    @Test func theCheckItselfFindsWhatIsWrong() throws {
        let schemas = try OpenAPISchemas(
            yaml: """
                components:
                  schemas:
                    Thing:
                      type: object
                      required: [name, size]
                      properties:
                        name: {type: string}
                        size: {type: [integer, "null"]}
                        kind: {enum: [one, null]}
                        parts: {type: array, items: {$ref: "#/components/schemas/Thing"}}
                        other: {oneOf: [{type: boolean}, {const: word}]}
                """)
        func problems(_ json: String) throws -> Int {
            let value = try JSONDecoder().decode(JSONValue.self, from: Data(json.utf8))
            return schemas.problems(of: value, as: "Thing").count
        }
        #expect(try problems(#"{"name": "a", "size": null, "kind": null, "parts": [], "other": "word"}"#) == 0)
        #expect(try problems(#"{"name": "a", "size": 1.5}"#) == 1)
        #expect(try problems(#"{"size": 1}"#) == 1)
        #expect(try problems(#"{"name": "a", "size": 1, "colour": "red"}"#) == 1)
        #expect(try problems(#"{"name": "a", "size": 1, "kind": "two", "other": 1}"#) == 2)
        #expect(try problems(#"{"name": "a", "size": 1, "parts": [{"name": 1}]}"#) == 2)
        #expect(try problems("[]") == 1)
        #expect(schemas.problems(of: .null, as: "Missing").count == 1)
        #expect(schemas.problems(of: .null, to: "GET /nowhere", status: 200).count == 1)
    }
}
