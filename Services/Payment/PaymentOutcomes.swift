import Logging
import Metrics
import Shared

/// Counts and logs how payments end, whoever ended them.
struct PaymentOutcomes: Sendable {
    let metrics: any MetricsFactory
    let logger: Logger

    func record(_ id: String, _ settlement: Settlement) {
        let cause = settlement.scenario ?? "none"
        let outcome =
            switch settlement.event {
            case .approved: "completed"
            case .declined: "declined"
            case .failed, .charging, .refunded: "failed"
            }
        count(outcome, cause)
        logger.info(
            "payment ended", metadata: ["payment_id": "\(id)", "outcome": "\(outcome)", "scenario": "\(cause)"])
    }

    /// A payment whose outcome is not known yet; it is counted again when it has ended.
    func recordUnknown(_ id: String, scenario: String?) {
        count("unknown", scenario ?? "none")
        logger.info(
            "payment left open", metadata: ["payment_id": "\(id)", "scenario": "\(scenario ?? "none")"])
    }

    private func count(_ outcome: String, _ cause: String) {
        Counter(
            label: "payments_total", dimensions: [("outcome", outcome), ("scenario", cause)], factory: metrics
        ).increment()
    }
}
