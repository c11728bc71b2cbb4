import ArgumentParser
import Foundation
import HTTPTypes
import Shared
import TestSupport
import Testing
import Verdict

@testable import ScenarioRunner

/// Which runner a command asks, and what it says when none answers.
@Suite struct RunnerAddressTests {
    private func options(_ arguments: String...) throws -> TargetOptions { try TargetOptions.parse(arguments) }

    @Test func withoutOptionsTheLabIsMeant() throws {
        let address = try options().address
        #expect(address == nil)
    }

    @Test func theRunnerOfAClusterIsBehindAPortForward() throws {
        let usual = try #require(try options("--target", "kubernetes").address)
        #expect(usual.url == "http://localhost:8000")
        #expect(
            usual.silence.description
                == "no runner answers at http://localhost:8000; forward it with 'kubectl -n payment-chaos port-forward "
                + "svc/scenario-runner 8000:8000', or name its address with --runner")
        let other = try #require(try options("--target", "kubernetes", "--runner", "http://localhost:9000").address)
        #expect(other.url == "http://localhost:9000" && other.silence.description.contains(" 9000:8000'"))
        #expect(other.patience > .zero)
        #expect(other.file(of: "RUN-1", "json") == "http://localhost:9000/api/runs/RUN-1/report?format=json")
        #expect(other.file(of: "RUN-1", "html") == "http://localhost:9000/api/runs/RUN-1/report")
    }

    @Test func anyRunnerCanBeNamed() throws {
        let address = try #require(try options("--runner", "http://10.0.0.1:8000").address)
        #expect(address.url == "http://10.0.0.1:8000")
        let silence = "no runner answers at http://10.0.0.1:8000; start it, or correct --runner"
        #expect(address.silence.description == silence)
        #expect(throws: (any Error).self) { try options("--runner", "localhost:8000") }
        #expect(throws: (any Error).self) { try options("--target", "moon") }
    }

    @Test func theFilesOfALabAreInItsFolder() throws {
        let state = LabFolder.State(
            pid: 1, runnerURL: "http://127.0.0.1:8000", paymentURL: "", inventoryURL: "", notificationURL: "",
            engine: "lab")
        let address = RunnerAddress(lab: state, folder: ".lab")
        #expect(address.file(of: "RUN-1", "json") == ".lab/runs/RUN-1.json" && address.patience == .zero)
        #expect(address.silence.description.contains("is it still running?"))
    }

    @Test func whoNobodyAnswersIsTold() async throws {
        let client = RunnerClient(address: RunnerAddress(cluster: "http://127.0.0.1:1"))
        let error = await #expect(throws: LabError.self) { try await client.call(.post, "/api/halt") }
        #expect(error?.description.contains("kubectl -n payment-chaos port-forward svc/scenario-runner 1:8000") == true)
    }

    @Test func whatTheRunnerRefusesIsRefused() async throws {
        try await RunnerLab.serve { _, server in
            let client = RunnerClient(address: RunnerAddress(cluster: "http://127.0.0.1:\(server.port)"))
            let refused = await #expect(throws: RefusedRequest.self) {
                try await client.call(.get, "/api/experiments/nothing/plan")
            }
            #expect(refused?.description.hasPrefix("There is no experiment nothing") == true)
            _ = try await client.call(.post, "/api/halt")
            let body = Data(#"{"experiment": "loss-a"}"#.utf8)
            let halted = await #expect(throws: LabError.self) { try await client.call(.post, "/api/runs", body: body) }
            #expect(halted?.description.contains("halted") == true)
        }
    }

    @Test func aRunIsFollowedToItsEnd() async throws {
        try await RunnerLab.serve { lab, server in
            let client = RunClient(
                address: RunnerAddress(cluster: "http://127.0.0.1:\(server.port)"), progress: ProgressLine())
            let journal = try await client.run(
                .object([
                    "experiment": .string("loss-a"), "origin": .string("command-line"), "baseline": .string("1s"),
                    "duration": .string("1s"), "recovery": .string("1s"), "rate": .integer(20),
                ]))
            #expect(journal.experiment == "loss-a" && lab.engine.log == ["inject loss-a", "remove loss-a"])
        }
    }
}
