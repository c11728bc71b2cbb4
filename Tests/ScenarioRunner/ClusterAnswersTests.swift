import Cluster
import Experiments
import Foundation
import HTTPTypes
import ServiceTesting
import Shared
import TestSupport
import Testing

@testable import ScenarioRunner

/// What the API answers when a cluster cannot do what is asked for.
@Suite struct ClusterAnswersTests {
    private static let missing = ClusterError(
        .chaosMeshMissing, "the cluster has no networkchaos", remedy: "install Chaos Mesh", retryAfter: .seconds(2))

    @Test(arguments: ["/api/runs", "/api/trigger_chaos/loss-a"])
    func whatIsMissingIsSaidBeforeAnythingStarts(path: String) async throws {
        let schemas = try OpenAPISchemas(yaml: String(decoding: RunnerAPI.openAPI, as: UTF8.self))
        var options = RunnerLab.Options()
        options.preflight = { _ in throw Self.missing }
        try await RunnerLab.serve(options) { lab, server in
            let answer = try await server.post(path, json: #"{"experiment": "loss-a"}"#)
            let body = try answer.json()
            #expect(answer.status == 503 && answer.headers["retry-after"] == "2")
            let told = body["message"]?.text ?? body["detail"]?.text
            #expect(told == "The cluster has no networkchaos: install Chaos Mesh.")
            let operation = path == "/api/runs" ? "POST /api/runs" : "POST /api/trigger_chaos/{name}"
            #expect(schemas.problems(of: body, to: operation, status: 503) == [])
            #expect(lab.manager.views.isEmpty && lab.engine.log.isEmpty)
        }
    }

    @Test func whatWouldBeRefusedAnyhowIsNotLookedAtInTheCluster() async throws {
        var options = RunnerLab.Options()
        options.preflight = { _ in throw Self.missing }
        try await RunnerLab.serve(options) { lab, server in
            _ = await lab.manager.halt()
            let answer = try await server.post("/api/runs", json: #"{"experiment": "loss-a"}"#)
            #expect(answer.status == 423)
        }
    }

    @Test func aTriggerWaitsForItsFault() async throws {
        var options = RunnerLab.Options()
        options.engine = FakeEngine(.init(injectionTime: .milliseconds(300)))
        options.injectionTime = .seconds(30)
        try await RunnerLab.serve(options) { lab, server in
            let answer = try await server.send("POST", "/api/trigger_chaos/loss-a")
            #expect(answer.status == 200 && lab.engine.inForce == 1)
        }
    }

    @Test func aTriggerWhoseFaultDoesNotTakeEffectSaysWhy() async throws {
        var options = RunnerLab.Options()
        options.engine = FakeEngine(.init(injection: "the kernel has no netem"))
        options.injectionTime = .seconds(30)
        try await RunnerLab.serve(options) { _, server in
            let answer = try await server.send("POST", "/api/trigger_chaos/loss-a")
            #expect(answer.status == 503)
            let message = try answer.json()["message"]?.text ?? ""
            #expect(message.hasPrefix("loss-a did not take effect: ") && message.contains("the kernel has no netem"))
        }
    }

    @Test func whereThereIsNoClusterEveryFaultIsRefusedButFailureModes() async throws {
        var options = RunnerLab.Options()
        options.otherEngine = NoEngine()
        try await RunnerLab.serve(options) { _, server in
            let answer = try await server.post("/api/runs", json: #"{"experiment": "loss-a"}"#)
            #expect(answer.status == 422)
            #expect(try answer.json()["detail"]?.text?.contains("in a cluster with Chaos Mesh") == true)
        }
        let modes = ManifestLoader.load(
            """
            apiVersion: v1
            kind: ConfigMap
            metadata:
              name: declines
              labels: {payment-chaos.io/kind: failure-modes}
            data:
              duration: 10s
              steps: |
                0s  card-decline 20%
                5s  off
            """, file: "made-up.yaml"
        ).experiments
        #expect(modes.map { NoEngine().refusal(of: $0) } == [nil])
    }

    @Test func aManifestThatIsRefusedLaterIsStillTheCallersToMend() {
        let refusal = Refusal(file: "a.yaml", line: 3, field: "spec.mode", reason: "chooses nothing")
        let answer = Problem.answer(to: refusal) as? Problem
        #expect(answer?.status == .unprocessableContent && answer?.members["line"] == .integer(3))
    }
}
