import Foundation
import HTTPTypes
import ServiceTesting
import Shared
import TestSupport
import Testing
import Verdict

@testable import PaymentService

/// The payment service is killed at each named step of its work, started again, and has lost and doubled nothing.
@Suite("A payment service that is killed", .timeLimit(.minutes(3)))
struct KillSweepTests {
    private static let declined =
        #"{"amount":"19.99","product_id":"1","payment_method":"pm_card_visa_chargeDeclined"}"#

    @Test(
        "in a payment that goes well has told the truth",
        arguments: [
            WorkStep.begun, .stockTaken, .charging, .charged, .settled, .delivered,
        ])
    func approved(step: WorkStep) async throws {
        try await killed(at: step) { lab in
            // Before the charge nothing has happened; from then on the customer has paid.
            let isPaid = ![.begun, .stockTaken, .charging].contains(step)
            let answer = try await lab.settledAnswer(KilledLife.order)
            #expect(answer.status == (isPaid ? 200 : 502), "\(step): \(answer.text)")
            return [.init(isPaid ? .ok : .unknown, answer)]
        }
    }

    @Test(
        "in a payment that is declined holds no stock",
        arguments: [
            WorkStep.charged, .settled, .delivered,
        ])
    func declined(step: WorkStep) async throws {
        try await killed(at: step, { $0.order = Self.declined }) { lab in
            let answer = try await lab.settledAnswer(Self.declined)
            #expect(answer.status == 402, "\(step): \(answer.text)")
            return [.init(.declined, answer)]
        }
    }

    @Test("while it asks what became of a charge asks again", arguments: [WorkStep.reconciling, .reconciled])
    func reconciler(step: WorkStep) async throws {
        try await killed(at: step, { $0.isGatewaySilent = true }) { lab in
            let answer = try await lab.settledAnswer(KilledLife.order)
            #expect(answer.status == 200, "\(step): \(answer.text)")
            return [.init(.ok, answer)]
        }
    }

    @Test("in a refund has given it once", arguments: [WorkStep.refundBegun, .refundGiven, .refundDone])
    func refund(step: WorkStep) async throws {
        try await killed(at: step, { $0.wantsRefund = true }) { lab in
            let answer = try await lab.settledAnswer(KilledLife.order)
            let id = try #require(answer["payment_id"]?.text)
            let wish = #"{"payment_id":"\#(id)","amount":"5.00"}"#
            try await eventually("the refund has its end") {
                let headers: HTTPFields = [.idempotencyKey: KilledLife.refundKey]
                let again = try await lab.payment.post("/payment/refund", wish, headers: headers)
                return again.status == 200 && again.headers[.idempotentReplayed] == "true"
            }
            #expect(try await lab.payment.get("/payment/status/\(id)")["refunded_amount"] == .integer(5))
            return [.init(.ok, answer)]
        }
    }

    /// Kills one life of the service, starts the next, and checks the books against what the client was told.
    ///
    /// - Parameter settle: asks the service again until it knows, and returns what the client then knows.
    private func killed(
        at step: WorkStep, _ change: @escaping @Sendable (inout KilledLife) -> Void = { _ in },
        _ settle: @escaping @Sendable (PaymentLab) async throws -> [PaymentOperation]
    ) async throws {
        var options = PaymentLab.Options()
        options.before = { settings, folder in
            let life = KilledLife(endingAt: .step(step), settings, folder, change)
            await life.run()
        }
        try await PaymentLab.run(options) { lab in
            let history = [PaymentOperation(.unknown, nil)] + (try await settle(lab))
            let check = await lab.checkMoney(history)
            #expect(check.notChecked == nil && check.violations == [], "\(step)")
            #expect(check.checked == 1, "\(step)")
        }
    }
}

extension PaymentOperation {
    /// What a client was told about the payment with ``KilledLife/payKey``.
    init(_ outcome: Outcome, _ answer: TestAnswer?) {
        self.init(
            idempotencyKey: KilledLife.payKey, paymentID: answer?["payment_id"]?.text, outcome: outcome,
            amount: Money(minorUnits: 1999, currency: .usd))
    }
}
