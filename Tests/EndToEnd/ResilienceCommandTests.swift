import Foundation
import Shared
import Subprocess
import Testing

/// `scenario-runner resilience` against a plain lab, and every replica that follows.
@Suite("The command for resilience", .serialized)
struct ResilienceCommandTests {
    private func settings(_ output: String) throws -> ResilienceSettings {
        try JSONDecoder().decode(ResilienceSettings.self, from: Data(output.utf8))
    }

    @Test("It shows and sets the patterns, and every replica takes them up", .timeLimit(.minutes(2)))
    func sets() async throws {
        try await withStateFolder { folder in
            try await LabProcess.withLab(["--plain"], folder: URL(fileURLWithPath: folder)) { lab in
                let state = lab.folder.path
                let fresh = try await Command.runner("resilience", "--json", "--state", state)
                #expect(fresh.status == .exited(0))
                #expect(try settings(fresh.output) == ResilienceSettings(.naive))

                let changed = try await Command.runner(
                    "resilience", "hardened", "--off", "hedging,retry", "--json", "--state", state)
                var expected = ResilienceSettings(.hardened)
                expected.set(.hedging, false)
                expected.set(.retry, false)
                #expect(try settings(changed.output) == expected)
                let topology = try await lab.get(lab.state.runner_url + "/api/topology").body
                for service in ["payment-service", "inventory-service", "notification-service"] {
                    for replica in ReplicaView.all(of: service, in: topology) {
                        try await waitUntil("\(replica.url) follows", within: .seconds(20)) {
                            let answer = try await lab.client.execute(
                                HTTPClientRequest(url: replica.url + "/metrics", timeout: .seconds(5)))
                            return String(decoding: answer.body, as: UTF8.self).contains("service_settings_version 2")
                        }
                    }
                }
                let text = try await Command.runner("resilience", "show", "--state", state)
                #expect(text.output.hasPrefix("hardened\n") && text.output.contains("hedging          off"))

                for wrong in [["brave"], ["--on", "luck"]] {
                    let refused = try await Command.runner.run(["resilience"] + wrong + ["--state", state])
                    #expect(refused.status == .exited(64), "\(refused.error)")
                    #expect(refused.complaints.count == 1)
                }
                let run = try await Command.runner("run", "pod-kill-payment", "--resilience", "brave", "--state", state)
                #expect(run.status == .exited(64) && run.error.contains("'brave'"), "\(run.error)")
            }
        }
    }

    @Test("Without a lab it says so")
    func noLab() async throws {
        try await withStateFolder { folder in
            let ended = try await Command.runner("resilience", "hardened", "--state", folder)
            #expect(ended.status == .exited(69) && ended.complaints.count == 1, "\(ended.error)")
        }
    }
}
