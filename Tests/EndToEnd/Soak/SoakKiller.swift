import Experiments
import Foundation
import Sandbox
import Shared
import TestSupport

@testable import ScenarioRunner

/// Ends a random replica of a random service again and again, as `kill -9` does. The services come in rounds, each in
/// an order of its own, so that none is spared by luck.
struct SoakKiller: Sendable {
    let plan: SoakPlan
    /// The lab whose descendants are the replicas.
    let labPID: Int32
    let record: SoakRecord

    /// Kills until `stop` opens.
    func run(until stop: Latch) async throws {
        var generator = SeededGenerator(seed: plan.seed, purpose: "killer")
        var round: [LabTopology.Service] = []
        var next = ContinuousClock.now + plan.killPeriod
        while await !stop.wait(until: next) {
            next += plan.killPeriod
            if round.isEmpty { round = LabTopology().services.shuffled(using: &generator) }
            let service = round.removeLast()
            let names = service.replicas.map(\.name).shuffled(using: &generator)
            let running = try ReplicaProcesses.running(below: labPID)
            // A replica that is about to be started again cannot be killed: then it is another's turn.
            guard let pid = names.lazy.compactMap({ running[$0] }).first, kill(pid, SIGKILL) == 0 else { continue }
            record.change { $0.kills[service.name, default: 0] += 1 }
        }
    }
}

/// The processes of one lab's replicas, as the host sees them.
enum ReplicaProcesses {
    /// By the replica's name, `payment-0`. A process counts when it is a descendant of the lab, runs a service, and was
    /// told that it is that replica.
    static func running(below lab: Int32) throws -> [String: Int32] {
        var found: [String: Int32] = [:]
        for service in LabTopology().services {
            for pid in try HostProcesses.named(service.name, below: lab) where ProcessLife.isAlive(pid) {
                if let name = replicaName(of: pid) { found[name] = pid }
            }
        }
        return found
    }

    private static func replicaName(of pid: Int32) -> String? {
        guard let data = FileManager.default.contents(atPath: "/proc/\(pid)/environ") else { return nil }
        let prefix = "REPLICA_NAME="
        return data.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
            .first { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) }
    }
}
