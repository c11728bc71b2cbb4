import Foundation
import Shared

@testable import ScenarioRunner

/// Packet loss on one path after the other, put in force by the runner as a person would do it: an experiment of a
/// manifest, triggered without load of its own, for as long as the manifest says.
struct SoakLoss: Sendable {
    /// The packets that are at risk.
    private struct Path {
        let name: String
        let source: String
        let direction: String
        /// Nil is everyone: the clients, who are no replicas and cannot be selected, hear of their payments this way.
        let target: String?
    }

    private static let paths = [
        Path(name: "payment-to-inventory", source: "payment", direction: "to", target: "inventory"),
        Path(name: "payment-to-everyone", source: "payment", direction: "to", target: nil),
        Path(name: "payment-and-notification", source: "payment", direction: "both", target: "notification"),
        Path(name: "inventory-to-payment", source: "inventory", direction: "to", target: "payment"),
    ]

    let plan: SoakPlan
    let lab: LabProcess
    let record: SoakRecord

    static var pathNames: [String] { paths.map(\.name) }

    /// Lets path after path lose packets until `stop` opens; the last loss is gone when this returns.
    func run(until stop: Latch) async throws {
        var turn = 0
        while !stop.isOpen {
            try await turnOf(Self.paths[turn % Self.paths.count].name, unless: stop)
            turn += 1
        }
    }

    private func turnOf(_ path: String, unless stop: Latch) async throws {
        // The cooldown is there to keep people from breaking too much at once, which is what a soak is for.
        try await lab.order(lab.state.runner_url + "/api/chaos-rate-limit-reset")
        let started = try await lab.order(lab.state.runner_url + "/api/trigger_chaos/\(path)")
        guard let id = started["run_id"]?.text else { throw NotDone(description: "a trigger without run: \(started)") }
        let end = ContinuousClock.now + plan.lossTurn + Self.slack
        while true {
            let run = try await run(id)
            if run.state == "finished" { return try note(run, of: path, isWhole: !stop.isOpen) }
            guard ContinuousClock.now < end else { throw NotDone(description: "\(path) does not end: \(run)") }
            if await stop.wait(until: .now + .milliseconds(200)) {
                try await lab.order(lab.state.runner_url + "/api/runs/\(id)/stop")
                try await Task.sleep(for: .milliseconds(50))
            }
        }
    }

    /// For the rules to be made and taken away on a busy machine.
    private static let slack = Duration.seconds(60)

    private func note(_ run: RunState, of path: String, isWhole: Bool) throws {
        guard let dose = run.journal?.dose else {
            if isWhole { throw NotDone(description: "\(path) lost nothing: \(run)") }
            return
        }
        record.change { $0.lossTurns.append(.init(path: path, delivered: dose.delivered)) }
    }

    private func run(_ id: String) async throws -> RunState {
        let response = try await lab.client.execute(
            HTTPClientRequest(url: lab.state.runner_url + "/api/runs/\(id)", timeout: .seconds(20)))
        return try response.decode(RunState.self)
    }

    private struct RunState: Decodable {
        struct Journal: Decodable {
            let dose: JournalView.Dose?
            let reasons: [String]
        }
        let state: String
        let journal: Journal?
    }

    /// Writes the experiments into a folder that a lab is started with.
    static func writeManifests(of plan: SoakPlan, to folder: URL) throws {
        let documents = paths.map { manifest($0, plan) }
        try documents.joined(separator: "---\n").write(
            to: folder.appendingPathComponent("soak.yaml"), atomically: true, encoding: .utf8)
    }

    private static func manifest(_ path: Path, _ plan: SoakPlan) -> String {
        let target = path.target.map {
            "  target:\n    mode: all\n    selector:\n      namespaces: [payment-chaos]\n"
                + "      labelSelectors: {app: \($0)-service}\n"
        }
        return """
            apiVersion: chaos-mesh.org/v1alpha1
            kind: NetworkChaos
            metadata:
              name: \(path.name)
              namespace: payment-chaos
            spec:
              action: loss
              mode: all
              selector:
                namespaces: [payment-chaos]
                labelSelectors: {app: \(path.source)-service}
              loss:
                loss: "\(plan.lossPercent)"
              direction: \(path.direction)
            \(target ?? "")  duration: \(Int(plan.lossTurn.seconds))s

            """
    }
}
