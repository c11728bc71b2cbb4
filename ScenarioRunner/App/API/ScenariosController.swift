import Experiments
import Hummingbird
import Load
import Shared

/// `GET /api/scenarios`: everything that can be triggered or switched, in the old system's one list.
struct ScenariosController: Sendable {
    let runs: RunsController
    let failureModes: FailureModesStore
    let locust: LocustCatalogue

    var routes: [Route] { [.get("/api/scenarios") { _, _ in try .json(chaos + load + payment) }] }

    private var chaos: [Scenario] {
        runs.experiments.contents.documents.map { document in
            Scenario(
                name: document.name, description: document.description,
                type: document.kind == "StressChaos" ? "stress-chaos" : "chaos-mesh", targetService: document.target)
        }
    }

    private var load: [Scenario] {
        locust.profiles.map { Scenario(name: $0.name, description: $0.description, type: "locust") }
    }

    private var payment: [Scenario] {
        let modes = failureModes.settings.failureModes
        return [
            Scenario(
                name: "gateway-timeout", description: "The payment gateway does not answer in time",
                enabled: modes.gatewayTimeoutEnabled,
                config: .init(probability: modes.gatewayTimeoutProbability, delay: modes.gatewayTimeoutDelay)),
            Scenario(
                name: "card-decline", description: "The card's issuer declines", enabled: modes.cardDeclineEnabled,
                config: .init(probability: modes.cardDeclineProbability, delay: nil)),
            Scenario(
                name: "stolen-card", description: "The card is reported stolen", enabled: modes.stolenCardEnabled,
                config: .init(probability: modes.stolenCardProbability, delay: nil)),
        ]
    }
}

private struct Scenario: Encodable {
    struct Config: Encodable {
        /// Percent.
        let probability: Double
        /// Seconds.
        let delay: Double?
    }

    let name: String
    let description: String
    var type = "payment"
    var targetService = "payment-service"
    var enabled: Bool?
    var config: Config?

    enum CodingKeys: String, CodingKey {
        case name, description, type, enabled, config
        case targetService = "target_service"
    }
}
