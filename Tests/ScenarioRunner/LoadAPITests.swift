import Foundation
import HTTPTypes
import Hummingbird
import Load
import ServiceTesting
import Shared
import Synchronization
import TestSupport
import Testing

@testable import ScenarioRunner

/// `/api/load` over real sockets; the load is real too, and goes to a server of the test.
@Suite(.timeLimit(.minutes(1))) struct LoadAPITests {
    private static let schemas = try? OpenAPISchemas(yaml: String(decoding: RunnerAPI.openAPI, as: UTF8.self))

    private static let look = "name: look\nrequests: [{name: look, path: /look}]\nthresholds: [\"success >= 99%\"]\n"

    private func withTarget(
        restock: @escaping @Sendable (Int) async throws -> Void = { _ in },
        _ body: @Sendable @escaping (RunnerLab, TestServer) async throws -> Void
    ) async throws {
        let route = Route.get("/look") { _, _ in Response(status: .ok) }
        try await withServer(routes: [route]) { target in
            var options = RunnerLab.Options()
            options.restock = restock
            options.loadTarget = "http://127.0.0.1:\(target.port)"
            try await RunnerLab.serve(options, body)
        }
    }

    private func check(_ answer: WireResponse, _ operation: String, _ status: Int) throws {
        #expect(answer.status == status, "\(operation): \(answer.text)")
        let schemas = try #require(Self.schemas)
        #expect(schemas.problems(of: try answer.json(), to: operation, status: status) == [], "\(operation)")
    }

    private func write(_ text: String, as name: String, in lab: RunnerLab) throws {
        try Data(text.utf8).write(to: lab.profiles.appendingPathComponent(name))
    }

    /// The load once it has ended.
    private func ended(_ lab: RunnerLab) async throws -> LoadView {
        try await eventually("the end of the load") { lab.loads.current().map { !$0.view.isUnderWay } ?? false }
        return try #require(lab.loads.current()?.view)
    }

    @Test func profilesAreReadAnewAndBrokenOnesListed() async throws {
        try await RunnerLab.serve { lab, server in
            try check(try await server.get("/api/load-profiles"), "GET /api/load-profiles", 200)
            try write(Self.look, as: "look.yaml", in: lab)
            try write("name: broken\nrequests: 5", as: "broken.yaml", in: lab)
            let answer = try await server.get("/api/load-profiles")
            try check(answer, "GET /api/load-profiles", 200)
            let list = try answer.json()
            #expect(list["profiles"]?.elements.compactMap { $0["name"]?.text } == ["look"])
            #expect(list["problems"]?.elements.compactMap { $0["field"]?.text } == ["requests"])
            #expect(list["problems"]?.elements.first?["line"] == .integer(2))
        }
    }

    @Test func aLoadRunsAndTellsItsNumbers() async throws {
        try await withTarget { lab, server in
            try write(Self.look, as: "look.yaml", in: lab)
            try check(try await server.get("/api/load"), "GET /api/load", 404)
            try check(try await server.send("POST", "/api/load/stop"), "POST /api/load/stop", 404)
            let started = try await server.post(
                "/api/load",
                json: #"{"profile": "look", "rate": 200, "duration": "1s", "arrivals": "poisson", "seed": 7}"#)
            try check(started, "POST /api/load", 202)
            #expect(started.headers["location"] == "/api/load")
            let view = try await ended(lab)
            #expect(view.state == .finished && view.error == nil)
            let summary = try #require(view.summary)
            #expect(summary.name == "look" && summary.successRate == 1 && summary.byStatus["200"] == summary.requests)
            #expect((140...260).contains(summary.requests) && summary.cpuUsPerRequest ?? 0 > 0)
            #expect(summary.thresholds.map(\.held) == [true] && summary.arrivals == .poisson && summary.seed == 7)
            #expect(
                lab.live.recent(at: UnixTime.now.seconds).seconds.contains { $0.runID == view.id && $0.requests > 0 })
            let answer = try await server.get("/api/load")
            try check(answer, "GET /api/load", 200)
            let seconds = try answer.json()["seconds"]?.elements ?? []
            #expect(seconds.count == 1 && seconds.first?["requests"] == .integer(Int64(summary.requests)))
            let later = try await server.get("/api/load?since=1")
            #expect(try later.json()["seconds"]?.elements.isEmpty == true)
            try check(try await server.get("/api/load?since=x"), "GET /api/load", 422)
        }
    }

    @Test func theStockIsFilledUpBeforeALoadAsFarAsItCanBe() async throws {
        let quantities = Mutex<[Int]>([])
        let restock: @Sendable (Int) async throws -> Void = { quantity in
            quantities.withLock { $0.append(quantity) }
            throw LabError("the inventory did not take the restock: it answered 503")
        }
        try await withTarget(restock: restock) { lab, server in
            try write(Self.look, as: "look.yaml", in: lab)
            let started = try await server.post(
                "/api/load", json: #"{"profile": "look", "rate": 25, "duration": "1s"}"#)
            try check(started, "POST /api/load", 202)
            let view = try await ended(lab)
            #expect(view.state == .finished && view.summary?.successRate == 1)
            #expect(quantities.withLock { $0 } == [25])
        }
    }

    @Test func aLoadThatIsStoppedDoesNotWaitForTheStock() async throws {
        try await withTarget(restock: { _ in try await Task.sleep(for: .seconds(3600)) }) { lab, server in
            try write(Self.look, as: "look.yaml", in: lab)
            try check(try await server.post("/api/load", json: #"{"profile": "look"}"#), "POST /api/load", 202)
            try check(try await server.send("POST", "/api/load/stop"), "POST /api/load/stop", 200)
            _ = try await ended(lab)
        }
    }

    @Test func oneLoadAtATimeAndStopEndsItInOrder() async throws {
        try await withTarget { lab, server in
            let text = JSONValue.string(Self.look)
            let body = String(
                decoding: try JSONEncoder().encode(["profile_yaml": text, "duration": .string("10m")]), as: UTF8.self)
            let first = try await server.post("/api/load", json: body)
            try check(first, "POST /api/load", 202)
            let id = try #require(try first.json()["id"]?.text)
            let second = try await server.post("/api/load", json: body)
            try check(second, "POST /api/load", 409)
            #expect(try second.json()["detail"]?.text?.contains("The load look (\(id)) is running") == true)
            try await eventually("requests") { lab.loads.current()?.view.progress?.requests ?? 0 > 0 }
            try check(try await server.get("/api/load"), "GET /api/load", 200)
            try check(try await server.send("POST", "/api/load/stop"), "POST /api/load/stop", 200)
            let view = try await ended(lab)
            #expect(view.state == .finished && view.summary?.wasStopped == true && view.summary?.successRate == 1)
            // The place is free again.
            try check(try await server.post("/api/load", json: body), "POST /api/load", 202)
            try check(try await server.send("POST", "/api/load/stop"), "POST /api/load/stop", 200)
            _ = try await ended(lab)
        }
    }

    @Test(arguments: [
        (#"{}"#, 422, "profile: is required"), (#"{"profile": "none"}"#, 404, "There is no load profile none"),
        (#"{"profile": "look", "rate": 0}"#, 422, "rate: must be a number from 0.1"),
        (#"{"profile": "look", "model": "half", "arrivals": "late"}"#, 422, "model: must be open or closed"),
        (#"{"profile": "look", "ramp": "1..2"}"#, 422, "'1..2' is not like"),
        (#"{"profile": "look", "ramp": "1/1s", "model": "closed"}"#, 422, "a ramp needs the open model"),
        (#"{"profile_yaml": "name: x"}"#, 422, "profile_yaml:1: requests: must be"),
        (#"{"profile": "look", "base_url": "ftp://a"}"#, 422, "base_url: must be like"),
    ])
    func whatCannotBeSentIsRefused(body: String, status: Int, detail: String) async throws {
        try await RunnerLab.serve { lab, server in
            try write(Self.look, as: "look.yaml", in: lab)
            let answer = try await server.post("/api/load", json: body)
            try check(answer, "POST /api/load", status)
            #expect(try answer.json()["detail"]?.text?.contains(detail) == true, "\(answer.text)")
            #expect(lab.loads.current() == nil)
        }
    }

    @Test func runsTakeAProfileByItsName() async throws {
        try await RunnerLab.serve { lab, server in
            try write(Self.look, as: "look.yaml", in: lab)
            let answer = try await server.post(
                "/api/runs", json: #"{"experiment": "loss-a", "profile": "look", "arrivals": "poisson"}"#)
            try check(answer, "POST /api/runs", 202)
            try await eventually { lab.load.orders.count == 1 }
            #expect(lab.load.orders.first?.profile.name == "look" && lab.load.orders.first?.arrivals == .poisson)
            let unknown = try await server.post("/api/runs", json: #"{"experiment": "loss-a", "profile": "nothing"}"#)
            try check(unknown, "POST /api/runs", 404)
        }
    }
}
