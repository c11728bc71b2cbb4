import Foundation
import Shared
import Subprocess
import Testing

/// Network experiments from their manifests to their journals, with everything in between real.
@Suite(
    "Network chaos", .serialized,
    .enabled(if: LabProcess.namespacesWork, "this machine refuses namespaces; see scenario-runner doctor"))
struct NetworkChaosTests {
    private static func manifest(_ name: String, from source: String, to target: String, _ spec: String) -> String {
        """
        apiVersion: chaos-mesh.org/v1alpha1
        kind: NetworkChaos
        metadata: {name: \(name)}
        spec:
          mode: all
          selector: {namespaces: [payment-chaos], labelSelectors: {app: \(source)-service}}
          target:
            mode: all
            selector: {namespaces: [payment-chaos], labelSelectors: {app: \(target)-service}}
          duration: 1m
        \(spec.split(separator: "\n").map { "  \($0)\n" }.joined())
        ---

        """
    }

    private static let combination = manifest(
        "combination", from: "payment", to: "inventory",
        """
        action: netem
        direction: both
        delay: {latency: 60ms, jitter: 20ms, correlation: "25", reorder: {reorder: "50", correlation: "10", gap: 5}}
        loss: {loss: "10", correlation: "25"}
        duplicate: {duplicate: "10"}
        corrupt: {corrupt: "2"}
        """)

    private static let bandwidth = manifest(
        "bandwidth", from: "payment", to: "inventory",
        """
        action: bandwidth
        bandwidth: {rate: 1mbit, limit: 100000, buffer: 10000}
        """)

    private static let partition = manifest(
        "partition", from: "payment", to: "notification",
        """
        action: partition
        direction: both
        """)

    private static let external = """
        apiVersion: chaos-mesh.org/v1alpha1
        kind: NetworkChaos
        metadata: {name: external}
        spec:
          action: partition
          mode: all
          selector: {namespaces: [payment-chaos], labelSelectors: {app: payment-service}}
          externalTargets: ["notification-service.payment-chaos:5004"]
          duration: 1m

        """

    /// Runs one of the experiments in a lab of its own, which must leave nothing.
    private func run(_ name: String, seconds: Int = 10) async throws -> JournalView {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("lab-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let experiments = folder.appendingPathComponent("experiments")
        try FileManager.default.createDirectory(at: experiments, withIntermediateDirectories: true)
        let text = Self.combination + Self.bandwidth + Self.partition + Self.external
        try Data(text.utf8).write(to: experiments.appendingPathComponent("network.yaml"))
        let before = try await HostState.read(marker: folder.path)
        let run = try await runner([
            "run", name, "--experiments", experiments.path, "--baseline", "4s", "--duration", "\(seconds)s",
            "--recovery", "10s", "--json", "--state", folder.path, "--ports", "0,0,0,0", "--seed", "11",
        ])
        #expect([.exited(0), .exited(2)].contains(run.code), "\(run.error)\(run.output.suffix(2000))")
        try await waitUntil("the host is as before", within: .seconds(15)) {
            try await HostState.read(marker: folder.path) == before
        }
        return try JSONDecoder().decode(JournalView.self, from: Data(run.output.utf8))
    }

    /// As with namespaces, continuous integration skips nothing.
    private static let hasTun =
        ProcessInfo.processInfo.environment["CI"] != nil || access("/dev/net/tun", R_OK | W_OK) == 0

    @Test(
        "Delay, loss, duplication and corruption together: each has its dose, and the users feel it",
        .enabled(if: hasTun, "this machine has no /dev/net/tun; see scenario-runner doctor"))
    func together() async throws {
        let journal = try await run("combination")
        let dose = try #require(journal.dose)
        let all = [dose] + (dose.others ?? [])
        #expect(
            all.map(\.kind) == [
                "packet_delay", "packet_reordering", "packet_loss", "packet_duplication", "packet_corruption",
            ])
        for dose in all { #expect(dose.effective, "\(dose.kind): \(dose.detail)") }
        #expect(all[0].unit == "ms" && all[0].asked > 55 && all[0].asked < 65)
        // 40 ms there and 40 ms back are the least, but for the few packets that overtake.
        let (baseline, fault) = (try #require(journal.phase("baseline")), try #require(journal.phase("fault")))
        #expect(baseline.success_rate == 1)
        #expect(fault.p95_ms >= 80)
        #expect(journal.recovery_time_ms != nil)
    }

    @Test(
        "A bandwidth is not exceeded",
        .enabled(if: hasTun, "this machine has no /dev/net/tun; see scenario-runner doctor"))
    func narrow() async throws {
        let journal = try await run("bandwidth", seconds: 8)
        let dose = try #require(journal.dose)
        #expect(dose.kind == "bandwidth" && dose.asked == 1_000_000 && dose.effective, "\(dose.detail)")
        #expect(dose.delivered > 0 && dose.others == nil)
        #expect(journal.recovery_time_ms != nil)
    }

    @Test("A partition drops every packet between the two, and both find together again")
    func partitioned() async throws {
        let journal = try await run("partition", seconds: 8)
        let dose = try #require(journal.dose)
        #expect(dose.kind == "packet_loss" && dose.asked == 100 && dose.delivered == 100 && dose.effective)
        #expect(journal.recovery_time_ms != nil)
    }

    @Test("An external target may be a service, by the name that it has in a cluster")
    func externalTargets() async throws {
        let journal = try await run("external", seconds: 6)
        let dose = try #require(journal.dose)
        #expect(dose.kind == "packet_loss" && dose.delivered == 100 && dose.effective, "\(dose.detail)")
        #expect(try #require(journal.phase("fault")).success_rate < 1, "notifications are not to be had")
        #expect(journal.recovery_time_ms != nil)
    }
}
