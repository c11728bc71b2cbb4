import Foundation
import HTTPTypes
import Hummingbird
import ServiceLifecycle
import Shared

/// `/api/payment-scenarios` and `/api/service-settings`: a person switches failures, the services follow.
struct PaymentScenariosController: Sendable {
    let store: FailureModesStore
    let events: EventHub
    /// Whether failures may be switched on: not while everything is halted.
    let isHalted: @Sendable () -> Bool

    /// The longest that a poll may wait for a change.
    static let maxWaitSeconds = 30
    /// Characters of a follower's name that tell it apart.
    private static let maxFollowerName = 64

    var routes: [Route] {
        [
            .get("/api/payment-scenarios") { _, _ in try .json(ScenariosAnswer(scenarios: store.settings.failureModes))
            },
            .post("/api/payment-scenarios/gateway-timeout", setGatewayTimeout).withScenarioErrors,
            .post("/api/payment-scenarios/card-decline", setCardDecline).withScenarioErrors,
            .post("/api/payment-scenarios/stolen-card", setStolenCard).withScenarioErrors,
            .post("/api/payment-scenarios/reset", reset),
            .get("/api/service-settings", serviceSettings),
        ]
    }

    private func setGatewayTimeout(_ request: Request, _ context: AppContext) async throws -> Response {
        var query = QueryReader(request)
        let enabled = query.requiredBool("enabled")
        let probability = query.number("probability", in: 0...100, default: 15)
        let delay = query.number("delay", in: 1...60, default: 10)
        let phase = GatewayTimeoutPhase(
            rawValue: query.text("phase", default: GatewayTimeoutPhase.afterCharge.rawValue))
        if phase == nil {
            let phases = GatewayTimeoutPhase.allCases.map(\.rawValue)
            query.reject("phase", "must be one of \(phases.joined(separator: ", "))")
        }
        try query.finish()
        return try change(name: "Gateway timeout", enabled: enabled, probability: probability) {
            $0.gatewayTimeoutEnabled = enabled
            $0.gatewayTimeoutProbability = probability
            $0.gatewayTimeoutDelay = delay
            $0.gatewayTimeoutPhase = phase ?? .afterCharge
        }
    }

    private func setCardDecline(_ request: Request, _ context: AppContext) async throws -> Response {
        var query = QueryReader(request)
        let enabled = query.requiredBool("enabled")
        let probability = query.number("probability", in: 0...100, default: 20)
        try query.finish()
        return try change(name: "Card decline", enabled: enabled, probability: probability) {
            $0.cardDeclineEnabled = enabled
            $0.cardDeclineProbability = probability
        }
    }

    private func setStolenCard(_ request: Request, _ context: AppContext) async throws -> Response {
        var query = QueryReader(request)
        let enabled = query.requiredBool("enabled")
        let probability = query.number("probability", in: 0...100, default: 10)
        try query.finish()
        return try change(name: "Stolen card", enabled: enabled, probability: probability) {
            $0.stolenCardEnabled = enabled
            $0.stolenCardProbability = probability
        }
    }

    private func reset(_ request: Request, _ context: AppContext) async throws -> Response {
        let modes = store.change { $0 = .off }
        events.publish("failure_modes", modes)
        return try .json(ScenariosAnswer(message: "All payment scenarios reset", scenarios: modes))
    }

    private func change(
        name: String, enabled: Bool, probability: Double, _ change: (inout FailureModes) -> Void
    ) throws -> Response {
        if enabled, isHalted() { throw Governor.Refusal.halted.problem(for: name) }
        let modes = store.change(change)
        events.publish("failure_modes", modes)
        let message = enabled ? "\(name) scenario enabled (\(probability)% of requests)" : "\(name) scenario disabled"
        return try .json(ScenariosAnswer(message: message, scenarios: modes))
    }

    private func serviceSettings(_ request: Request, _ context: AppContext) async throws -> Response {
        var query = QueryReader(request)
        let version = query.optionalInteger("version", in: 0...Int.max)
        let wait = query.optionalInteger("wait", in: 0...Self.maxWaitSeconds) ?? 0
        let follower = String(query.text("follower", default: "payment").prefix(Self.maxFollowerName))
        try query.finish()
        // A server that drains waits for its requests, so a poll must not outlive the drain.
        let settings = await cancelWhenGracefulShutdown {
            await store.settings(after: version, wait: .seconds(wait), follower: follower)
        }
        return try .json(settings)
    }
}

private struct ScenariosAnswer: Encodable {
    var status = "success"
    var message: String?
    let scenarios: FailureModes
}
