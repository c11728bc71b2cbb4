import Foundation
import Shared
import Subprocess
import Testing

/// Kills, failures and disk stress on the real services, in a plain lab.
@Suite("Process faults", .serialized)
struct ProcessFaultTests {
    private static let manifests = """
        apiVersion: chaos-mesh.org/v1alpha1
        kind: PodChaos
        metadata: {name: kill-payment, namespace: payment-chaos}
        spec: {action: pod-kill, mode: one, gracePeriod: 2, selector: {labelSelectors: {app: payment-service}}}
        ---
        apiVersion: chaos-mesh.org/v1alpha1
        kind: PodChaos
        metadata: {name: fail-notification, namespace: payment-chaos}
        spec:
          action: pod-failure
          mode: all
          duration: 60s
          selector: {labelSelectors: {app: notification-service}}
        ---
        apiVersion: chaos-mesh.org/v1alpha1
        kind: StressChaos
        metadata: {name: io-stress, namespace: payment-chaos}
        spec:
          mode: one
          duration: 60s
          selector: {labelSelectors: {app: payment-service}}
          stressngStressors: --hdd 2 --hdd-bytes 4M

        """

    private func withPlainLab(
        _ body: @Sendable @escaping (LabProcess, _ folder: String) async throws -> Void
    ) async throws {
        try await withStateFolder { folder in
            let experiments = folder + "/experiments"
            try FileManager.default.createDirectory(atPath: experiments, withIntermediateDirectories: true)
            try Self.manifests.write(toFile: experiments + "/faults.yaml", atomically: true, encoding: .utf8)
            try await LabProcess.withLab(
                ["--plain", "--experiments", experiments], folder: URL(fileURLWithPath: folder)
            ) { lab in try await body(lab, folder) }
        }
    }

    private func replicas(of service: String, _ lab: LabProcess) async throws -> [ReplicaView] {
        ReplicaView.all(of: service, in: try await lab.get(lab.state.runner_url + "/api/topology").body)
    }

    private func run(_ name: String, in folder: String) async throws -> JournalView {
        let run = try await Command.runner(
            "run", name, "--baseline", "2s", "--duration", "3s", "--recovery", "4s", "--json", "--state", folder)
        #expect([.exited(0), .exited(2)].contains(run.status), "\(name): \(run.error)")
        return try JSONDecoder().decode(JournalView.self, from: Data(run.output.utf8))
    }

    @Test("Each fault bites, is dosed, and is gone afterwards", .timeLimit(.minutes(3)))
    func bites() async throws {
        try await withPlainLab { lab, folder in
            // One after the other: what one does to the users would spoil the baseline of the next.
            let kill = try await run("kill-payment", in: folder).dose
            #expect(kill?.unit == "processes" && kill?.delivered == 1 && kill?.effective == true)
            let disk = try await run("io-stress", in: folder).dose
            #expect(disk?.unit == "fsyncs/s" && disk?.effective == true)
            async let failed = run("fail-notification", in: folder)
            try await waitUntil("notification is down", within: .seconds(60)) {
                try await replicas(of: "notification-service", lab).map(\.state) == ["down", "down"]
            }
            let failure = try await failed.dose
            #expect(failure?.unit == "replicas" && failure?.delivered == 2 && failure?.effective == true)
            try await waitUntil("all are up again", within: .seconds(20)) {
                try await replicas(of: "notification-service", lab).map(\.state) == ["up", "up"]
            }
            #expect(try await replicas(of: "notification-service", lab).map(\.restarts) == [1, 1])
            #expect(try await replicas(of: "payment-service", lab).map(\.restarts).reduce(0, +) == 1)
            #expect(try HostProcesses.all(below: lab.pid).count == 7, "no stress worker is left")
        }
    }
}
