import Cluster
import Experiments
import Foundation
import HTTPTypes
import ServiceTesting
import Shared
import TestSupport
import Testing
import Verdict

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

    /// The removal that sticks ends long after anybody waits for an answer.
    @Test func aTriggerWhoseFaultCannotBeTakenBackSaysThatItMayBeThere() async throws {
        let removability = Latch()
        var options = RunnerLab.Options()
        options.engine = FakeEngine(
            .init(
                injection: "the kernel has no netem", takingBack: "Chaos Mesh is silent", removability: removability))
        options.removalTime = .seconds(60)
        options.injectionTime = .seconds(30)
        try await RunnerLab.serve(options) { lab, server in
            let answer = try await server.send("POST", "/api/trigger_chaos/loss-a")
            let body = try answer.json()
            let message = body["message"]?.text ?? ""
            #expect(answer.status == 503)
            #expect(message.hasPrefix("loss-a did not take effect: the kernel has no netem."), "\(message)")
            #expect(message.contains("may still be there: Chaos Mesh is silent"), "\(message)")
            let id = try #require(body["run_id"]?.text)
            #expect(lab.engine.inForce == 1)
            #expect(try lab.manager.details(id).view.state != .finished, "it goes on trying")
            removability.open()
            #expect(try await lab.ended(id).view.verdict == .invalid && lab.engine.inForce == 0)
        }
    }

    @Test func aTriggerOfWhichNothingIsKnownInTimeIsNoSuccessAndBeginsNoMore() async throws {
        var options = RunnerLab.Options()
        options.engine = FakeEngine(.init(injectionTime: .seconds(3600)))
        options.injectionTime = .milliseconds(300)
        try await RunnerLab.serve(options) { lab, server in
            let answer = try await server.send("POST", "/api/trigger_chaos/loss-a")
            let body = try answer.json()
            #expect(answer.status == 503)
            #expect(body["message"]?.text?.contains("nothing is known of it after 300ms") == true, "\(body)")
            let id = try #require(body["run_id"]?.text)
            try await eventually("its end") { try lab.manager.details(id).view.verdict == .aborted }
            #expect(lab.engine.inForce == 0)
        }
    }

    @Test func aTriggerThatIsStoppedMeanwhileIsNoSuccess() async throws {
        var options = RunnerLab.Options()
        options.engine = FakeEngine(.init(injectionTime: .seconds(3600)))
        options.injectionTime = .seconds(60)
        try await RunnerLab.serve(options) { lab, server in
            async let answer = server.send("POST", "/api/trigger_chaos/loss-a")
            try await eventually("the injection") { lab.engine.log == ["wait loss-a"] }
            _ = await lab.manager.halt()
            let (status, body) = (try await answer.status, try await answer.json())
            #expect(status == 503)
            #expect(body["message"]?.text?.contains("did not take effect: everything was halted") == true, "\(body)")
        }
    }

    @Test(arguments: [
        (ClusterError(.invalid, "the webhook refuses it"), 422, "the webhook refuses it."),
        (
            ClusterError(.netemMissing, "the kernel has no netem", remedy: "load it"), 503,
            "the kernel has no netem: load it."
        ),
    ])
    func aTriggerSaysWhoIsToMendIt(error: ClusterError, status: Int, told: String) async throws {
        var options = RunnerLab.Options()
        options.engine = FakeEngine(.init(injectionError: error))
        options.injectionTime = .seconds(30)
        try await RunnerLab.serve(options) { _, server in
            let answer = try await server.send("POST", "/api/trigger_chaos/loss-a")
            let body = try answer.json()
            #expect(answer.status == status)
            #expect(body["message"]?.text == "loss-a did not take effect: \(told)")
            #expect(body["cause"]?.text == error.kind.rawValue && body["remedy"]?.text == error.remedy)
            #expect(body["run_id"]?.text?.hasPrefix("RUN-") == true)
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
