import Experiments
import Foundation
import HTTPTypes
import Hummingbird
import Load
import Shared
import Synchronization
import TestSupport
import Testing

@testable import ScenarioRunner

/// A load that the command line follows through the API of a runner.
@Suite(.timeLimit(.minutes(1))) struct LoadFollowTests {
    private static let look = "name: look\nrequests: [{name: look, path: /look}]\n"

    private func order() throws -> LoadCommandOrder {
        var shape = LoadShape()
        (shape.rate, shape.durationMs) = (20, 1000)
        return LoadCommandOrder(
            profile: try LoadProfile.load(Self.look, file: "look.yaml"), shape: shape, timeout: .seconds(5),
            baseURL: nil, seed: 7)
    }

    private func follow(_ server: TestServer, lab: Bool = false) async throws -> LoadSummary {
        let url = "http://127.0.0.1:\(server.port)"
        let state = LabFolder.State(
            pid: 1, runnerURL: url, paymentURL: "", inventoryURL: "", notificationURL: "", engine: "lab")
        let address = lab ? RunnerAddress(lab: state, folder: ".lab") : RunnerAddress(cluster: url)
        return try await RunnerLoad(address: address, order: order()).run(LoadLine(), nil)
    }

    private func withRunner(_ body: @Sendable @escaping (TestServer) async throws -> Void) async throws {
        try await withServer(routes: [.get("/look") { _, _ in Response(status: .ok) }]) { target in
            var options = RunnerLab.Options()
            options.loadTarget = "http://127.0.0.1:\(target.port)"
            try await RunnerLab.serve(options) { _, server in try await body(server) }
        }
    }

    @Test func itsOwnNumbersAreTold() async throws {
        try await withRunner { server in
            let summary = try await follow(server)
            #expect(summary.name == "look" && summary.seed == 7 && summary.requests == 20)
        }
    }

    /// Between two looks one load ends and somebody starts another.
    @Test func anothersNumbersAreNot() async throws {
        try await withRunner { runner in
            _ = try await follow(runner)
            let other = try await runner.get("/api/load")
            let mine = try other.json()["id"]?.text ?? ""
            let view = other.text.replacing(mine, with: "LOAD-mine")
            let routes: [Route] = [
                .post("/api/load") { _, _ in .text(view, contentType: "application/json") },
                .get("/api/load") { _, _ in .text(other.text, contentType: "application/json") },
            ]
            try await withServer(routes: routes) { server in
                let error = await #expect(throws: LabError.self) { try await follow(server) }
                #expect(error?.description.hasPrefix("the load LOAD-mine has ended, and \(mine) was started") == true)
            }
        }
    }

    /// As a port-forward that breaks off and is there again.
    @Test func anAnswerThatBreaksOffIsAskedForAgain() async throws {
        try await withRunner { runner in
            let first = try await runner.post("/api/load", json: Self.body).text
            // More than the client asks by itself on a connection that dies.
            let breaks = Mutex(4)
            let routes: [Route] = [
                .post("/api/load") { _, _ in .text(first, contentType: "application/json") },
                .get("/api/load") { _, _ in
                    let isBroken = breaks.withLock { breaks in
                        breaks -= 1
                        return breaks >= 0
                    }
                    if isBroken { return Response(status: .ok, body: .init(contentLength: 9) { _ in throw Broken() }) }
                    return .text(try await runner.get("/api/load").text, contentType: "application/json")
                },
            ]
            try await withServer(routes: routes) { server in
                let summary = try await follow(server)
                #expect(summary.name == "look" && breaks.withLock { $0 } < 0)
                breaks.withLock { $0 = .max }
                let error = await #expect(throws: LabError.self) { try await follow(server, lab: true) }
                #expect(error?.description.contains("is it still running?") == true, "a lab that is gone is gone")
            }
        }
    }

    private static let body =
        #"{"profile_yaml": "name: look\nrequests: [{name: look, path: /look}]", "duration": "1s"}"#

    private struct Broken: Error {}

    @Test func silenceIsBorneForAsLongAsItsAddressMayBeSilent() async throws {
        let client = HTTPClient()
        let cluster = RunnerConnection(address: RunnerAddress(cluster: "http://127.0.0.1:1"), client: client)
        var patient = PatientConnection(cluster)
        let answer = try await patient.ask("/api/load")
        #expect(answer == nil)
        await client.shutdown()
    }

    @Test func whatIsThereNoMoreIsNoWrongUsage() async throws {
        try await RunnerLab.serve { _, server in
            let client = HTTPClient()
            let address = RunnerAddress(cluster: "http://127.0.0.1:\(server.port)")
            var patient = PatientConnection(RunnerConnection(address: address, client: client))
            await #expect(throws: LabError.self) { try await patient.ask("/api/runs/RUN-1") }
            await client.shutdown()
        }
    }
}
