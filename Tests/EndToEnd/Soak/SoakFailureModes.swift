import Shared

@testable import ScenarioRunner

/// All failure modes at once; the phase of the gateway's timeouts changes by turns.
struct SoakFailureModes: Sendable {
    let plan: SoakPlan
    let lab: LabProcess
    let record: SoakRecord

    private var api: String { lab.state.runner_url + "/api/payment-scenarios" }

    /// Switches them on, changes phases until `stop` opens, and switches everything off.
    func run(until stop: Latch) async throws {
        let probability = plan.failureProbability
        for mode in ["card-decline", "stolen-card"] {
            try await lab.order(api + "/\(mode)?enabled=true&probability=\(probability)")
        }
        let phases = GatewayTimeoutPhase.allCases
        for turn in 0... {
            let phase = phases[turn % phases.count].rawValue
            try await lab.order(
                api + "/gateway-timeout?enabled=true&probability=\(probability)&delay=\(plan.gatewayDelay)"
                    + "&phase=\(phase)")
            record.change { $0.modeTurns += 1 }
            if await stop.wait(until: .now + plan.modeTurn) { break }
        }
        try await lab.order(api + "/reset")
    }
}

extension LabProcess {
    /// A request that must be done as asked.
    ///
    /// - Returns: the answer's body.
    @discardableResult
    func order(_ url: String) async throws -> JSONValue {
        let (status, body) = try await post(url)
        guard status == 200 else { throw NotDone(description: "\(url) answered \(status): \(body)") }
        return body
    }
}

/// The runner did not do what it was asked.
struct NotDone: Error, CustomStringConvertible {
    let description: String
}
