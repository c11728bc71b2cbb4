import Foundation
import Shared
import TestSupport
import Testing
import Verdict

@testable import ScenarioRunner

/// `/api/runs` over real sockets.
@Suite struct RunsAPITests {
    private static let short = #""baseline": "1s", "duration": "1s", "recovery": "1s""#

    @Test func aStartedRunIsAcceptedAndHasAnAddress() async throws {
        try await RunnerLab.serve { lab, server in
            let answer = try await server.post(
                "/api/runs", json: #"{"experiment": "loss-a", "seed": 9007199254740991}"#)
            #expect(answer.status == 202)
            let id = try #require(try answer.json()["id"]?.text)
            #expect(id.hasPrefix("RUN-") && answer.headers["location"] == "/api/runs/\(id)")
            #expect(try answer.json()["experiment"] == .string("loss-a"))
            #expect(try answer.json()["origin"] == .string("api"))
            #expect(try answer.json()["verdict"] == .null, "what is not known yet is null, not absent")
            // The defaults of the contract.
            try await eventually { lab.load.orders.count == 1 }
            let order = try #require(lab.load.orders.first)
            #expect(order.rate == 20 && order.seed == 9_007_199_254_740_991 && order.runID == id)
            let details = try await server.get("/api/runs/\(id)").json()
            #expect(details["id"] == .string(id) && details["journal"] == .null)
            #expect(try await server.get("/api/runs/\(id)/report").status == 409)
        }
    }

    @Test func unknownThingsAre404() async throws {
        try await RunnerLab.serve { _, server in
            let unknown = try await server.post("/api/runs", json: #"{"experiment": "nothing"}"#)
            #expect(unknown.status == 404)
            #expect(try unknown.json()["detail"]?.text?.contains("GET /api/experiments") == true)
            for path in ["/api/runs/RUN-1", "/api/runs/RUN-1/report", "/api/runs/\(String(repeating: "x", count: 65))"]
            {
                #expect(try await server.get(path).status == 404, "\(path)")
            }
            #expect(try await server.send("POST", "/api/runs/RUN-1/stop").status == 404)
            let wrong = try await server.send("DELETE", "/api/runs")
            #expect(wrong.status == 405 && wrong.headers["allow"] == "GET, HEAD, POST")
        }
    }

    @Test func whatTheEngineCannotDoIsRefusedWithItsPlace() async throws {
        try await RunnerLab.serve { lab, server in
            let answer = try await server.post("/api/runs", json: #"{"experiment": "delay-a"}"#)
            #expect(answer.status == 422)
            let problem = try answer.json()
            #expect(problem["file"]?.text?.hasSuffix("2-delay.yaml") == true)
            #expect(problem["field"] == .string("spec.device") && problem["line"] == .integer(11))
            #expect(problem["detail"]?.text?.contains("2-delay.yaml:11: spec.device:") == true)
            #expect(lab.manager.views.isEmpty && lab.manager.rateLimitStatus.canTriggerNew)
        }
    }

    @Test(arguments: [
        (#""duration": "0s""#, "duration"), (#""duration": "500ms""#, "duration"), (#""duration": "16m""#, "duration"),
        (#""duration": "-5s""#, "duration"), (#""duration": 30"#, "duration"), (#""duration": null"#, "duration"),
        (#""duration": "NaN""#, "duration"), (#""baseline": "11m""#, "baseline"), (#""baseline": "soon""#, "baseline"),
        (#""recovery": """#, "recovery"), (#""recovery": "999999999h""#, "recovery"), (#""rate": 0"#, "rate"),
        (#""rate": 2001"#, "rate"), (#""rate": 1.5"#, "rate"), (#""rate": "20""#, "rate"), (#""rate": null"#, "rate"),
        (#""rate": 2000, "duration": "15m""#, "rate"), (#""seed": -1"#, "seed"), (#""seed": null"#, "seed"),
        (#""seed": 9007199254740992"#, "seed"), (#""seed": "7""#, "seed"), (#""origin": "me""#, "origin"),
        (#""origin": null"#, "origin"), (#""origin": 1"#, "origin"), (#""experiment": """#, "experiment"),
        (#""experiment": null"#, "experiment"), (#""experiment": ["loss-a"]"#, "experiment"),
    ])
    func badFieldsAreNamed(members: String, field: String) async throws {
        let body = members.contains("experiment") ? "{\(members)}" : #"{"experiment": "loss-a", \#(members)}"#
        try await RunnerLab.serve { lab, server in
            let answer = try await server.post("/api/runs", json: body)
            #expect(answer.status == 422, "\(body): \(answer.text)")
            #expect(answer.headers["content-type"] == "application/problem+json; charset=utf-8")
            let errors = try answer.json()["errors"]?.elements ?? []
            #expect(errors.map { $0["field"]?.text } == [field])
            #expect(lab.manager.views.isEmpty)
        }
    }

    @Test func bodiesThatAreNone() async throws {
        try await RunnerLab.serve { _, server in
            for (body, status) in [
                ("{", 400), ("", 400), (#"{"experiment": "loss-a"} x"#, 400), ("null", 422), ("[]", 422), ("7", 422),
                (#""loss-a""#, 422), ("{}", 422),
            ] {
                #expect(try await server.post("/api/runs", json: body).status == status, "\(body)")
            }
            let text = try await server.send("POST", "/api/runs", headers: ["Content-Type": "text/plain"], body: "{}")
            #expect(text.status == 415)
            let long = #"{"experiment": "\#(String(repeating: "x", count: 70_000))"}"#
            #expect(try await server.post("/api/runs", json: long).status == 413)
        }
    }

    @Test func aWholeRunEndsInAJournal() async throws {
        try await RunnerLab.serve { lab, server in
            let body = #"{"experiment": "loss-a", "baseline": "1s", "duration": "1s", "recovery": "4s", "rate": 50}"#
            let start = try await server.post("/api/runs", json: body).json()
            let id = try #require(start["id"]?.text)
            _ = try await lab.ended(id)
            let run = try await server.get("/api/runs/\(id)").json()
            #expect(run["verdict"] == .string("held"), "\(run["reasons"] ?? .null)")
            #expect(run["state"] == .string("finished") && run["phase"] == .null)
            #expect(
                run["success_rate"] == .object(["before": .integer(1), "during": .integer(1), "after": .integer(1)]))
            #expect(run["recovery_time_ms"] == .integer(0))
            let journal = try #require(run["journal"])
            #expect(journal["run_id"] == .string(id) && journal["engine"] == .string("fake"))
            #expect(journal["dose"]?["delivered"] == .integer(80))

            let list = try await server.get("/api/runs").json()
            let runs = list["runs"]?.elements ?? []
            #expect(runs.map { $0["id"] } == [.string(id)] && runs.first?["journal"] == nil)
            let report = try await server.get("/api/runs/\(id)/report?format=text")
            #expect(report.headers["content-type"] == "text/plain; charset=utf-8" && report.text.contains("HELD"))

            let file = try Data(contentsOf: lab.folder.runs.appendingPathComponent("\(id).json"))
            #expect(try JSONDecoder().decode(JSONValue.self, from: file) == journal, "the file is the answer")
        }
    }

    @Test func theNewestRunComesFirst() async throws {
        try await RunnerLab.serve { lab, server in
            var ids: [String] = []
            for name in ["loss-a", "loss-b", "loss-a"] {
                ids.append(try lab.manager.start(RunnerLab.request(name)).id)
                _ = try await lab.ended(ids[ids.count - 1])
            }
            let runs = try await server.get("/api/runs").json()["runs"]?.elements ?? []
            #expect(runs.compactMap { $0["id"]?.text } == ids.reversed())
        }
    }

    @Test func stoppingTakesTheFaultAwayAndAborts() async throws {
        try await RunnerLab.serve { lab, server in
            let body = #"{"experiment": "loss-a", "baseline": "1s", "duration": "15m"}"#
            let id = try #require(try await server.post("/api/runs", json: body).json()["id"]?.text)
            try await eventually { lab.view(id)?.phase == .fault }
            #expect(lab.engine.inForce == 1)
            let stop = try await server.send("POST", "/api/runs/\(id)/stop")
            #expect(stop.status == 200)
            #expect(try stop.json()["state"] == .string("stopping"))
            let ended = try await lab.ended(id)
            #expect(ended.view.verdict == .aborted && ended.view.reasons.first == "the run was stopped")
            #expect(lab.engine.log == ["inject loss-a", "remove loss-a"])
            let again = try await server.send("POST", "/api/runs/\(id)/stop")
            #expect(again.status == 200)
            #expect(try again.json()["state"] == .string("finished"), "what has ended stays as it is")
        }
    }
}
