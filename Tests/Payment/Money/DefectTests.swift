import Foundation
import Gateway
import HTTPTypes
import ServiceTesting
import Shared
import TestSupport
import Testing
import Verdict

@testable import PaymentService

/// The money check against the real services with a bug in them. One script for all: whatever a bug breaks in it, the
/// check says by name, and without a bug it says nothing.
@Suite("The money check, with the real services", .timeLimit(.minutes(3)))
struct DefectTests {
    @Test("finds nothing where there is nothing")
    func clean() async throws {
        try await spend(with: nil) { check in
            #expect(check.violations == [] && check.checked == 5 && check.notChecked == nil)
        }
    }

    @Test("finds each bug by its name", arguments: Defect.allCases)
    func found(defect: Defect) async throws {
        try await spend(with: defect) { check in
            let lines = check.violations.map(\.line)
            #expect(check.notChecked == nil)
            for (rule, text) in Self.expected(defect) {
                let found = check.violations.contains { $0.rule == rule && $0.text.contains(text) }
                #expect(found, "no (\(rule.rawValue)) \(text) in \(lines)")
            }
            #expect(Set(check.violations.map(\.rule)) == Set(Self.expected(defect).map(\.0)), "\(lines)")
        }
    }

    /// What the bug is called in the books.
    private static func expected(_ defect: Defect) -> [(MoneyViolation.Rule, String)] {
        switch defect {
        case .idempotencyIgnored:
            [(.oneCharge, "was charged for another payment too"), (.oneCharge, "was acknowledged twice")]
        case .acknowledgedBeforeCommit:
            [
                (.successIsComplete, "it was acknowledged, and the books have no such payment"),
                (.failureLeavesNothing, "a charge stands, and the books have no such payment"),
            ]
        case .refundGivenTwice: [(.refundsWithinCaptures, "refunds 500, payment 500, ledger 500, gateway 1000")]
        case .centsByFloatingPoint:
            [
                (.successIsComplete, "its charge is not over its amount"),
                (.unknownIsSettled, "its charge is not over its amount"),
            ]
        case .compensationSkipped: [(.failureLeavesNothing, "it still holds reserved stock")]
        case .outboxOutsideTransaction:
            [
                (.unknownIsSettled, "it has 0 confirmed reservations, not 1"),
                (.unknownIsSettled, "it still holds reserved stock"), (.unknownIsSettled, "nobody was notified"),
            ]
        case .reconcilerChargesAgain:
            [
                (.oneCharge, "was charged for another payment too"),
                (.failureLeavesNothing, "a charge stands, and the books have no such payment"),
            ]
        }
    }

    /// A payment whose service dies, one that is paid twice with one key and refunded in part, one that is declined,
    /// and one whose gateway falls silent.
    private func spend(with defect: Defect?, judge: @escaping @Sendable (MoneyCheck) -> Void) async throws {
        var options = PaymentLab.Options()
        options.sabotage.defect = defect
        options.before = { settings, folder in
            let moment: KilledLife.Moment = defect == .outboxOutsideTransaction ? .betweenTransactions : .acknowledged
            let life = KilledLife(endingAt: moment, settings, folder) { $0.defect = defect }
            await life.run()
        }
        try await PaymentLab.run(options) { lab in
            var history = Self.earlierHistory(in: lab.folder)
            history += try await Self.repeatAndRefund(lab)
            history += try await Self.decline(lab)
            history += try await Self.fallSilent(lab)
            judge(await lab.checkMoney(history))
        }
    }

    private static func earlierHistory(in folder: URL) -> [PaymentOperation] {
        let id = KilledLife.acknowledgement(in: folder)
        return [operation(KilledLife.payKey, id, id == nil ? .unknown : .ok)]
    }

    private static func repeatAndRefund(_ lab: PaymentLab) async throws -> [PaymentOperation] {
        var history: [PaymentOperation] = []
        for _ in 1...2 {
            let paid = try await lab.pay(KilledLife.order, key: "twice")
            #expect(paid.status == 200)
            history.append(operation("twice", paid["payment_id"]?.text, .ok))
        }
        let id = try #require(history[0].paymentID)
        let refund = try await lab.payment.post("/payment/refund", #"{"payment_id":"\#(id)","amount":"5.00"}"#)
        #expect(refund.status == 200)
        let other = try await lab.pay(KilledLife.order, key: "once")
        return history + [operation("once", other["payment_id"]?.text, .ok)]
    }

    private static func decline(_ lab: PaymentLab) async throws -> [PaymentOperation] {
        let order = #"{"amount":"19.99","product_id":"1","payment_method":"pm_card_visa_chargeDeclined"}"#
        let answer = try await lab.pay(order, key: "declined")
        #expect(answer.status == 402)
        return [operation("declined", answer["payment_id"]?.text, .declined)]
    }

    /// Charged, and the answer is lost: the reconciler asks later.
    private static func fallSilent(_ lab: PaymentLab) async throws -> [PaymentOperation] {
        try await lab.change {
            ($0.gatewayTimeoutEnabled, $0.gatewayTimeoutProbability, $0.gatewayTimeoutDelay) = (true, 100, 1)
        }
        let answer = try await lab.pay(KilledLife.order, key: "silent")
        #expect(answer.status == 504)
        try await lab.settles(answer, "completed")
        return [operation("silent", answer["payment_id"]?.text, .unknown)]
    }

    private static func operation(
        _ key: String, _ id: String?, _ outcome: PaymentOperation.Outcome
    ) -> PaymentOperation {
        PaymentOperation(
            idempotencyKey: key, paymentID: id, outcome: outcome, amount: Money(minorUnits: 1999, currency: .usd))
    }
}
