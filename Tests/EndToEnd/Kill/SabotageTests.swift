import Foundation
import Shared
import Subprocess
import SystemPackage
import TestSupport
import Testing

@testable import Sandbox

/// Faults that somebody takes away behind the engine's back, and one that cannot be taken away, in a real lab.
@Suite(
    "Sabotage", .serialized, .timeLimit(.minutes(3)),
    .enabled(if: LabProcess.namespacesWork, "this machine refuses namespaces; see scenario-runner doctor"))
struct SabotageTests {
    private static let hasTun = ProcessInfo.processInfo.environment["CI"] != nil || TunDevice.obstacle() == nil

    /// Faults in places of their own, so that they can be in force at the same time.
    private static let manifests = ["loss", "slow", "slower", "cpu", "memory"].map(manifest).joined(separator: "---\n")

    private static func manifest(_ name: String) -> String {
        func network(_ source: String, _ target: String, _ spec: String) -> String {
            """
              mode: all
              selector: {labelSelectors: {app: \(source)-service}}
              target: {mode: all, selector: {labelSelectors: {app: \(target)-service}}}
              \(spec)
            """
        }
        let (kind, spec) =
            switch name {
            case "loss": ("NetworkChaos", network("payment", "inventory", "action: loss\n  loss: {loss: \"50\"}"))
            case "slow": ("NetworkChaos", network("payment", "notification", "action: delay\n  delay: {latency: 20ms}"))
            case "slower": ("NetworkChaos", network("inventory", "payment", "action: delay\n  delay: {latency: 20ms}"))
            default:
                (
                    "StressChaos",
                    """
                      mode: one
                      selector: {labelSelectors: {app: \(name == "cpu" ? "payment" : "inventory")-service}}
                      stressors: {\(name == "cpu" ? "cpu: {workers: 1, load: 20}" : "memory: {workers: 1, size: 8MiB}")}
                    """
                )
            }
        return """
            apiVersion: chaos-mesh.org/v1alpha1
            kind: \(kind)
            metadata: {name: \(name), namespace: payment-chaos}
            spec:
              duration: 1m
            \(spec)

            """
    }

    private func withLab(_ body: @Sendable @escaping (SabotagedLab) async throws -> Void) async throws {
        try await withStateFolder { folder in
            let experiments = folder + "/experiments"
            try FileManager.default.createDirectory(atPath: experiments, withIntermediateDirectories: true)
            try Self.manifests.write(toFile: experiments + "/faults.yaml", atomically: true, encoding: .utf8)
            try await LabProcess.withLab(["--experiments", experiments], folder: URL(fileURLWithPath: folder)) { lab in
                try await body(SabotagedLab(lab: lab, inner: try HostProcesses.inner(of: lab.pid)))
            }
        }
    }

    @Test(
        "A run whose rule, route or worker is taken away is invalid, and the users' traffic is whole again",
        .enabled(if: hasTun, "this machine has no /dev/net/tun; see scenario-runner doctor"))
    func takenAway() async throws {
        try await withLab { lab in
            var runs = try await lab.inForce("loss", "slow", "cpu")
            let lines = try await lab.output("nft", "list", "tables", "ip").split(separator: "\n")
            // The table of a path begins with the same letters.
            let table = try #require(lines.first { $0.contains(" chaos_") && !$0.contains(" chaos_path_") })
            try await lab.output("nft", "delete", "table", "ip", String(try #require(table.split(separator: " ").last)))
            kill(try lab.worker("path-worker"), SIGKILL)
            kill(try lab.worker("stress-worker"), SIGKILL)
            try await lab.areInvalid(runs, ["removed by someone else", "its worker ended", "ended with signal 9"])

            runs = try await lab.inForce("slow", "slower", "memory")
            let rules = try await lab.output("ip", "rule", "show").split(separator: "\n").map(String.init)
            let tables = rules.filter { $0.contains("fwmark") }.compactMap { rule in
                rule.split { " \t".contains($0) }.last.flatMap { Int($0) }
            }
            // One table a sender: slow has the three payment replicas, slower the two of inventory.
            let faults = Dictionary(grouping: tables) { $0 / PathDevices.maximumLanes }.values
            let ofSlow = try #require(faults.first { $0.count == 3 }?.first)
            let ofSlower = try #require(faults.first { $0.count == 2 }?.first)
            try await lab.output("ip", "rule", "del", "lookup", "\(ofSlow)")
            try await lab.output("ip", "route", "flush", "table", "\(ofSlower)")
            kill(try lab.worker("stress-worker"), SIGKILL)
            try await lab.areInvalid(
                runs, ["routing rules to its worker", "route to its worker", "killed by someone else"])

            try await waitUntil("payments go through", within: .seconds(20)) {
                let payment = #"{"amount": 100, "currency": "USD", "product_id": "1"}"#
                let url = lab.lab.state.payment_url + "/payment/process"
                return try await lab.lab.post(url, payment).status == 200
            }
        }
    }

    @Test("A fault that does not go is tried again, keeps its place, and counts as gone only once it is")
    func doesNotGo() async throws {
        try await withLab { lab in
            let run = try #require(try await lab.inForce("loss").first)
            let nft = try #require(CommandLineTool.path(of: "nft"))
            let calls = lab.lab.folder.appendingPathComponent("calls").path
            let broken = lab.lab.folder.appendingPathComponent("broken-nft").path
            try "#!/bin/sh\necho \"$@\" >> '\(calls)'\nexit 1\n".write(
                toFile: broken, atomically: true, encoding: .utf8)
            #expect(chmod(broken, 0o755) == 0)
            try await lab.output("mount", "--bind", broken, nft)
            #expect(try await lab.lab.post(run + "/stop").status == 200)
            // Every removal tries it three times.
            try await waitUntil("a second removal", within: .seconds(20)) {
                let text = (try? String(contentsOfFile: calls, encoding: .utf8)) ?? ""
                return text.split(separator: "\n").count { $0 == "-f -" } > 3
            }
            let during = try await lab.lab.get(run).body
            #expect(during["state"] == .string("stopping") && during["verdict"] != .string("held"))
            let limit = try await lab.lab.get(lab.lab.state.runner_url + "/api/chaos-rate-limit-status").body
            #expect(limit["active_experiments"] == .integer(1))
            // Lazily: the next try may just be reading the script.
            try await lab.output("umount", "--lazy", nft)
            try await waitUntil("the run has ended", within: .seconds(30)) {
                try await lab.lab.get(run).body["state"] == .string("finished")
            }
            let journal = try await lab.lab.get(run).body["journal"]
            let events = (journal?["events"]?.elements ?? []).compactMap { $0["name"]?.text }
            let failed = try #require(events.lastIndex(of: "removal_failed"))
            #expect(try #require(events.firstIndex(of: "fault_removed")) > failed)
            #expect(events.count { $0 == "fault_removed" } == 1)
            #expect(try await lab.output("nft", "list", "tables", "ip") == "table ip lab\n")
        }
    }
}

/// A lab, and the way into its namespaces.
private struct SabotagedLab: Sendable {
    let lab: LabProcess
    let inner: Int32

    /// Runs a tool on the router of the lab; also among its processes, for the lab's /proc knows no others.
    @discardableResult
    func output(_ command: String...) async throws -> String {
        let user = geteuid() == 0 ? [] : ["--user", "--preserve-credentials"]
        let result = try await Subprocess.run(
            .path("/usr/bin/nsenter"),
            arguments: Arguments(["--target", "\(inner)", "--net", "--mount", "--pid"] + user + command),
            environment: .inherit.updating(["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"]), input: .none,
            output: .string(limit: 1 << 20), error: .string(limit: 1 << 16))
        #expect(result.terminationStatus == .exited(0), "\(command): \(result.standardError)")
        return result.standardOutput
    }

    /// The only worker of that name.
    func worker(_ name: String) throws -> Int32 {
        let workers = try HostProcesses.all(below: lab.pid).filter {
            let words = try? String(contentsOfFile: "/proc/\($0)/cmdline", encoding: .utf8)
            return words?.split(separator: "\0").dropFirst().first == Substring(name) && ProcessLife.isAlive($0)
        }
        #expect(workers.count == 1)
        return try #require(workers.first)
    }

    /// Starts measured runs and returns, once their faults are in force, where each is told of.
    func inForce(_ names: String...) async throws -> [String] {
        var runs: [String] = []
        for name in names {
            // As the command line, which need not wait between two.
            let body = """
                {"experiment": "\(name)", "origin": "command-line", "baseline": "1s", "duration": "60s",
                 "recovery": "1s", "rate": 2}
                """
            let answer = try await lab.post(lab.state.runner_url + "/api/runs", body)
            runs.append(lab.state.runner_url + "/api/runs/" + (try #require(answer.body["id"]?.text, "\(answer)")))
        }
        for run in runs {
            try await waitUntil("phase fault", within: .seconds(40)) {
                let body = try await lab.get(run).body
                return body["phase"] == .string("fault")
            }
        }
        return runs
    }

    /// Waits until the runs have ended, and demands the reason of each.
    func areInvalid(_ runs: [String], _ reasons: [String]) async throws {
        for (run, reason) in zip(runs, reasons) {
            try await waitUntil("the run has ended: \(reason)", within: .seconds(30)) {
                try await lab.get(run).body["state"] == .string("finished")
            }
            let body = try await lab.get(run).body
            #expect(body["verdict"] == .string("invalid"))
            #expect("\(body["reasons"] ?? .null)".contains(reason), "\(body["reasons"] ?? .null)")
        }
    }
}
