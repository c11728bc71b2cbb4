import Foundation
import ServiceTesting
import Shared
import Synchronization
import TestSupport
import Testing
import Verdict

@testable import Sandbox
@testable import ScenarioRunner

/// `GET /api/money-check`, `GET` and `POST /api/settled`.
@Suite struct SystemAPITests {
    private func options(_ state: ReplicaState, target: String = "http://127.0.0.1:1") -> RunnerLab.Options {
        var options = RunnerLab.Options()
        options.loadTarget = target
        options.statuses = {
            LabTopology().replicas.map {
                ReplicaStatus(name: $0.name, state: state, pid: nil, restarts: 0, lastExit: nil)
            }
        }
        return options
    }

    private func complaint(_ server: TestServer, _ method: String = "POST") async throws -> JSONValue? {
        let answer = try await server.send(method, "/api/settled").json()
        #expect(answer["settled"] == .bool(answer["complaint"] == nil))
        return answer["complaint"]
    }

    @Test func whatTheBooksSayIsAnswered() async throws {
        var options = RunnerLab.Options()
        options.money = MoneyCheck(
            violations: [.init(rule: .oneCharge, paymentID: "PAY-1", text: "two charges", history: ["a", "b"])],
            checked: 3)
        let money = options.money
        try await RunnerLab.serve(options) { _, server in
            let answer = try await server.get("/api/money-check")
            #expect(answer.status == 200)
            #expect(try JSONDecoder().decode(MoneyCheck.self, from: Data(answer.text.utf8)) == money)
        }
    }

    @Test func aReplicaThatIsDownIsNamed() async throws {
        try await RunnerLab.serve(options(.held)) { _, server in
            let complaint = try await complaint(server)
            #expect(complaint == .string("payment-0 is down"))
        }
    }

    @Test func aRunThatIsUnderWayIsNamed() async throws {
        try await RunnerLab.serve(options(.up)) { lab, server in
            let id = try lab.manager.start(RunnerLab.request(fault: .seconds(60))).id
            let complaint = try await complaint(server)
            #expect(complaint == .string("the run \(id) is under way"))
        }
    }

    @Test func aServiceThatIsNotReadyIsNamed() async throws {
        try await RunnerLab.serve(options(.up)) { _, server in
            let complaint = try await complaint(server)
            #expect(complaint == .string("http://127.0.0.1:1 is not ready"))
        }
    }

    @Test func aSystemThatAnswersIsWell() async throws {
        try await withSystem { chains, server in
            let complaint = try await complaint(server)
            #expect(complaint == nil && chains.count.withLock { $0 } == 1)
        }
    }

    @Test func aLookAloneLeavesNothingBehind() async throws {
        try await withSystem { chains, server in
            let complaint = try await complaint(server, "GET")
            #expect(complaint == nil && chains.count.withLock { $0 } == 0)
        }
    }

    /// - Parameter body: is told how many chains were asked for.
    private func withSystem(_ body: @Sendable @escaping (Chains, TestServer) async throws -> Void) async throws {
        let chains = Chains()
        let routes: [Route] = [
            .post("/payment/chain") { _, _ in
                chains.count.withLock { $0 += 1 }
                return try .json(["status": "success"])
            }
        ]
        try await withServer(routes: routes) { system in
            try await RunnerLab.serve(options(.up, target: "http://127.0.0.1:\(system.port)")) { _, server in
                try await body(chains, server)
            }
        }
    }

    private final class Chains: Sendable {
        let count = Mutex(0)
    }
}
