import ServiceTesting
import Shared
import TestSupport
import Verdict

@testable import PaymentService
@testable import ScenarioRunner

extension PaymentLab {
    /// Asks for the payment with ``KilledLife/payKey`` again until its outcome is known.
    func settledAnswer(_ order: String) async throws -> TestAnswer {
        try await eventually("the payment has its end") {
            try await pay(order, key: KilledLife.payKey).status != 409
        }
        return try await pay(order, key: KilledLife.payKey)
    }

    /// Compares the books of the real services with what clients were told, as every run does.
    func checkMoney(_ history: [PaymentOperation]) async -> MoneyCheck {
        await MoneyAuditor(
            client: payment.http, paymentURL: payment.baseURL, inventoryURL: inventory.baseURL,
            notificationURL: notification.baseURL
        ).check(history: history)
    }
}
