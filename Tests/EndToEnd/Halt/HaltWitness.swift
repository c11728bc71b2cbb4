import Foundation
import Shared
import Subprocess
import SystemPackage
import TestSupport

/// Looks for faults with its own eyes: in the kernel and in the process table, not in the runner's answers.
struct HaltWitness: Sendable {
    let lab: LabProcess
    /// The first process inside the lab's namespaces, as the host numbers it.
    private let inside: Int32

    init(_ lab: LabProcess) throws {
        let inner = try HostProcesses.all(below: lab.pid).first { Self.command(of: $0).contains("lab-inside") }
        guard let inner else { throw NotDone(description: "the lab has no process in its namespaces") }
        self.lab = lab
        inside = inner
    }

    /// What is there that no lab without faults has; empty when every fault is gone.
    func traces() async throws -> [String] {
        async let tables = words("nft", ["list", "tables"])
        async let routing = words("ip", ["rule", "show"])
        async let devices = words("ip", ["-o", "link", "show"])
        var traces = try await tables.filter { $0.contains("chaos_") }
        traces += try await routing.filter { $0.contains("0x5043") }
        traces += try await devices.filter { $0.contains("impair-") }
        traces += try HostProcesses.all(below: lab.pid).filter(ProcessLife.isAlive).map(Self.command(of:)).filter {
            $0.contains("stress-worker") || $0.contains("path-worker")
        }
        let topology = try await lab.get(lab.state.runner_url + "/api/topology").body
        for service in ["payment", "inventory", "notification"] {
            let replicas = ReplicaView.all(of: "\(service)-service", in: topology)
            traces += replicas.filter { $0.state == "down" }.map { "\($0.url) is held down" }
        }
        let modes = try await lab.get(lab.state.runner_url + "/api/payment-scenarios").body["scenarios"]
        traces += ["gateway_timeout", "card_decline", "stolen_card"].filter { modes?["\($0)_enabled"] != .bool(false) }
        return traces
    }

    /// What a tool says inside the lab's network, line by line.
    private func words(_ tool: String, _ arguments: [String]) async throws -> [String] {
        let user = geteuid() == 0 ? [] : ["--user", "--preserve-credentials"]
        let result = try await Subprocess.run(
            .path("/usr/bin/nsenter"),
            arguments: Arguments(["--target", "\(inside)"] + user + ["--net", "--", tool] + arguments),
            environment: .inherit.updating(["PATH": "/usr/sbin:/sbin:/usr/bin:/bin"]), input: .none,
            output: .string(limit: 1 << 20), error: .string(limit: 1 << 16))
        guard result.terminationStatus == .exited(0) else {
            throw NotDone(description: "\(tool) inside the lab: \(result.standardError)")
        }
        return result.standardOutput.split(separator: "\n").map(String.init)
    }

    private static func command(of pid: Int32) -> String {
        let data = FileManager.default.contents(atPath: "/proc/\(pid)/cmdline") ?? Data()
        return String(decoding: data, as: UTF8.self).replacing("\0", with: " ")
    }
}
