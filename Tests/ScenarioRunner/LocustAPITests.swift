import Foundation
import HTTPTypes
import Load
import ServiceTesting
import Shared
import TestSupport
import Testing

@testable import ScenarioRunner

/// Locust over HTTP: what is started, what is refused, and what is told.
@Suite struct LocustAPITests {
    private func lab(
        _ driver: FakeLocust = FakeLocust(), works: Bool = true,
        _ body: @Sendable @escaping (RunnerLab, TestServer) async throws -> Void
    ) async throws {
        var options = RunnerLab.Options()
        options.works = works
        options.locust = { _ in driver }
        try await RunnerLab.serve(options, body)
    }

    @Test func aRunIsStartedFollowedAndKept() async throws {
        let driver = FakeLocust()
        let schemas = try OpenAPISchemas(yaml: String(decoding: RunnerAPI.openAPI, as: UTF8.self))
        try await lab(driver) { lab, server in
            let start = "POST /api/run_locust/{file}"
            let answer = try await server.send("POST", "/scenario-runner/api/run_locust/shopper.py?num_users=4")
            #expect(answer.status == 200, "\(answer.text)")
            let json = try answer.json()
            #expect(schemas.problems(of: json, to: start, status: 200) == [])
            #expect(json["status"] == .string("success"))
            #expect(json["message"] == .string("Locust runs shopper.py with 4 users for 1m."))
            let id = try #require(json["run_id"]?.text)
            #expect(id.hasPrefix("LOAD-") && answer.headers["location"] == "/api/locust/runs/\(id)")

            try await eventually { lab.locust.current?.live != nil }
            let running = try await server.get("/api/locust/runs/\(id)").json()
            #expect(schemas.problems(of: running, to: "GET /api/locust/runs/{id}", status: 200) == [])
            #expect(running["state"] == .string("running") && running["users"] == .integer(4))
            #expect(running["live"]?["requests"] == .integer(40) && running["run_time_s"] == .integer(60))
            #expect(try await server.get("/api/locust/runs/\(id)/report").status == 409)
            try await eventually { !lab.live.recent(at: UnixTime.now.seconds).seconds.isEmpty }
            let second = try #require(lab.live.recent(at: UnixTime.now.seconds).seconds.first)
            #expect(second.runID == id && second.requests == 40 && second.successRate == 1)

            driver.isOver.open()
            try await eventually { lab.locust.current == nil }
            let ended = try await server.get("/api/locust/runs/\(id)").json()
            #expect(schemas.problems(of: ended, to: "GET /api/locust/runs/{id}", status: 200) == [])
            #expect(ended["outcome"] == .string("passed") && ended["live"] == .null)
            #expect(ended["message"] == .string("None of 40 requests failed."))
            let overview = try await server.get("/api/locust").json()
            #expect(schemas.problems(of: overview, to: "GET /api/locust", status: 200) == [])
            #expect(overview["runs"]?.elements.map { $0["id"] } == [.string(id)])

            // Locust wrote no page here; then it did.
            let noReport = try await server.get("/api/locust/runs/\(id)/report")
            #expect(noReport.status == 404 && noReport.text.contains("None of 40 requests failed."))
            try Data("<p>it".utf8).write(to: lab.folder.runs.appendingPathComponent("\(id).html"))
            let report = try await server.get("/api/locust/runs/\(id)/report")
            #expect(report.text == "<p>it" && report.headers["content-type"] == "text/html; charset=utf-8")
            // A runner that starts later knows it still.
            try await eventually { LocustFiles(folder: lab.folder).finished().map(\.id) == [id] }
        }
    }

    @Test(arguments: [
        "nothing.py", "shopper", "Shopper.py", "_shared.py", "notes.txt", "folder.py", "link.py", "..", "%2e%2e",
        "..%2foutside.py", "%2e%2e%2foutside.py", "..%5coutside.py", "folder.py%2fa.py", "%2fetc%2fpasswd",
        "shopper.py%00", "%00shopper.py", "shopper.py%00.py", "shopper.py%0a", "shopper.py,walker.py", "-f.py", ".py",
        "%20shopper.py", "sh%C3%B6pper.py",
    ])
    func onlyPlainNamesOfFilesThereAreRun(file: String) async throws {
        try await lab { lab, server in
            let answer = try await server.send("POST", "/api/run_locust/\(file)")
            #expect(answer.status == 404, "\(answer.text)")
            let json = try answer.json()
            #expect(json["status"] == .string("error"))
            // Control characters are refused before anybody looks for a file.
            let words = file.contains("%0") ? "There is no such file." : "there are shopper.py, walker.py."
            #expect(json["message"]?.text?.hasSuffix(words) == true, "\(answer.text)")
            #expect(lab.locust.runs.isEmpty)
        }
    }

    @Test(arguments: [
        ("num_users=0", "num_users: must be an integer from 1 to 5000"), ("num_users=5001", "num_users"),
        ("num_users=ten", "num_users"), ("spawn_rate=0", "spawn_rate: must be a number from 0.1 to 1000"),
        ("spawn_rate=nan", "spawn_rate"), ("spawn_rate=inf", "spawn_rate"),
        ("run_time=0s", "run_time: must be a duration from 1s to 1h, such as 60s or 1m30s"),
        ("run_time=60", "run_time"),
        ("run_time=999ms", "run_time"), ("run_time=1h1s", "run_time"), ("run_time=-5s", "run_time"),
        ("run_time=", "run_time"), ("num_users=0&run_time=never", "num_users"),
    ])
    func whatIsOutOfRangeIs422(query: String, words: String) async throws {
        try await lab { lab, server in
            let answer = try await server.send("POST", "/api/run_locust/shopper.py?\(query)")
            #expect(answer.status == 422, "\(answer.text)")
            #expect(try answer.json()["status"] == .string("error"))
            #expect(try answer.json()["message"]?.text?.contains(words) == true, "\(answer.text)")
            #expect(lab.locust.runs.isEmpty)
        }
    }

    @Test func oneAtATime() async throws {
        try await lab { lab, server in
            let first = try await server.send("POST", "/api/run_locust/shopper.py?run_time=90s").json()
            let second = try await server.send("POST", "/api/run_locust/walker.py")
            #expect(second.status == 409 && second.headers["retry-after"] != nil)
            #expect(try second.json()["run_id"] == first["run_id"] && first["run_id"]?.text != nil)

            let stopped = try await server.send("POST", "/api/locust/stop").json()
            #expect(stopped["status"] == .string("success") && stopped["run"]?["id"] == first["run_id"])
            try await eventually { lab.locust.current == nil }
            #expect(lab.locust.runs.first?.outcome == .stopped)
            #expect(lab.locust.runs.first?.message == "It was stopped. None of 40 requests failed.")
            #expect(try await server.send("POST", "/api/run_locust/walker.py").status == 200)
            _ = try await server.send("POST", "/api/locust/stop")
            try await eventually { lab.locust.current == nil }

            let none = try await server.send("POST", "/api/locust/stop")
            #expect(none.status == 200)
            #expect(try none.json()["status"] == .string("warning"))
            #expect(try none.json()["run"] == .null)
        }
    }

    @Test func withoutLocustTheRemedyIsNamed() async throws {
        let driver = FakeLocust(missing: "Locust is not installed: make locust-venv")
        try await lab(driver) { lab, server in
            let answer = try await server.send("POST", "/api/run_locust/shopper.py")
            #expect(answer.status == 503)
            #expect(try answer.json()["message"] == .string("Locust is not installed: make locust-venv"))
            #expect(lab.locust.runs.isEmpty, "it has no place, and leaves no trace")
            let overview = try await server.get("/api/locust").json()
            #expect(overview["available"] == .bool(false) && overview["obstacle"] != .null)
            #expect(overview["files"]?.elements.map { $0["name"] } == [.string("shopper.py"), .string("walker.py")])
        }
    }

    @Test func aBusyMasterIsAConflictAndItsNoteIsTold() async throws {
        try await lab(FakeLocust(name: "master", refusal: .conflict("It runs a test already."))) { lab, server in
            let answer = try await server.send("POST", "/api/run_locust/shopper.py")
            #expect(answer.status == 409)
            #expect(try answer.json()["status"] == .string("error"))
            #expect(lab.locust.current == nil)
        }
        try await lab(FakeLocust(name: "master", note: "It runs its own file.")) { lab, server in
            let answer = try await server.send("POST", "/api/run_locust/shopper.py?run_time=2s").json()
            #expect(answer["message"] == .string("Locust runs shopper.py with 1 user for 2s. It runs its own file."))
        }
    }

    @Test func aHaltEndsLocustAndKeepsItFromStarting() async throws {
        try await lab { lab, server in
            let id = try #require(try await server.send("POST", "/api/run_locust/shopper.py").json()["run_id"])
            let halt = try await server.send("POST", "/api/halt").json()
            #expect(halt["stopped"]?.elements == [id])
            try await eventually { lab.locust.runs.first?.outcome == .stopped }
            let refused = try await server.send("POST", "/api/run_locust/shopper.py")
            #expect(refused.status == 423)
            #expect(try refused.json()["status"] == .string("error"))
        }
    }

    @Test func theStreamTellsHowItGoes() async throws {
        let driver = FakeLocust()
        let schemas = try OpenAPISchemas(yaml: String(decoding: RunnerAPI.openAPI, as: UTF8.self))
        try await lab(driver) { lab, server in
            let page = try RawConnection(port: server.port)
            try await page.send("GET /api/events HTTP/1.1\r\nHost: a\r\n\r\n")
            try await page.receive(until: "event: snapshot")
            _ = try await server.send("POST", "/api/run_locust/shopper.py")
            try await page.receive(until: #""requests":40"#)
            driver.isOver.open()
            try await page.receive(until: #""outcome":"passed""#)
            // What comes before another event is there in full.
            lab.events.publish("second", 1)
            let text = try await page.receive(until: "event: second\n")
            page.disconnect()
            let events = text.components(separatedBy: "event: ").filter { $0.hasPrefix("locust\ndata: ") }
            #expect(events.count >= 3, "its start, one second of it at least, and its end")
            for event in events {
                let line = event.components(separatedBy: "\n")[1].dropFirst(6)
                let run = try JSONDecoder().decode(JSONValue.self, from: Data(line.utf8))
                #expect(schemas.problems(of: run, as: "LocustRun") == [])
                #expect(run["summary"] == .null, "events of every second stay small")
            }
        }
    }

    @Test func everyProfileIsAScenario() async throws {
        try await lab { _, server in
            let scenarios = try await server.get("/api/scenarios").json().elements
            let locust = scenarios.filter { $0["type"] == .string("locust") }
            #expect(locust.map { $0["name"] } == [.string("shopper.py"), .string("walker.py")])
            #expect(locust.map { $0["description"] } == [.string("Buys"), .string("walker.py")])
        }
    }

    @Test(arguments: ["LOAD-1", "LOAD-1/report", "..%2f..%2fetc/report"])
    func whatIsUnknownIs404(path: String) async throws {
        try await lab { _, server in
            let answer = try await server.get("/api/locust/runs/\(path)")
            #expect(answer.status == 404)
        }
    }
}
