import Experiments
import Foundation
import Shared
import Testing

@testable import Verdict

/// What comes in from the services and goes out in the journal.
@Suite struct MoneyDocumentTests {
    private func decode<Value: Decodable>(_ text: String) throws -> Value {
        try JSONDecoder().decode(Value.self, from: Data(text.utf8))
    }

    @Test func readsThePaymentAudit() throws {
        let page: PaymentAuditPage = try decode(
            """
            {"payments":[{"payment_id":"PAY-1","status":"partially_refunded","amount_minor":1999,"currency":"USD",
              "refunded_minor":5,"idempotency_key":null,"decline_code":null,"created_at":1.5,"updated_at":2,
              "ledger":[{"transaction_id":"T","kind":"capture","account":"gateway_receivable","amount_minor":1999,
                "currency":"USD"}],
              "charges":[{"charge_id":"CH","payment_id":"PAY-1","idempotency_key":"k","amount_minor":1999,
                "currency":"USD","state":"approved","refunded_minor":5}],
              "refunds":[{"refund_id":"REF-1","amount_minor":5,"state":"done","created_at":2}],
              "outbox":[{"kind":"notification","key":"PAY-1","state":"waiting"}]}],
             "next":"PAY-1"}
            """)
        let payment = try #require(page.payments.first)
        #expect(page.next == "PAY-1" && page.chargesWithoutPayment.isEmpty)
        #expect(payment.createdAt.milliseconds == 1500 && payment.status == .partiallyRefunded && !payment.isSettled)
        #expect(payment.ledger[0].account == .gatewayReceivable && payment.charges[0].idempotencyKey == "k")
        #expect(throws: DecodingError.self) { try decode(#"{"next":null}"#) as PaymentAuditPage }
        #expect(throws: DecodingError.self) {
            try decode(#"{"payments":[{"payment_id":"PAY-1","status":"lost"}],"next":null}"#) as PaymentAuditPage
        }
    }

    @Test func readsTheOtherAudits() throws {
        let inventory: InventoryAuditPage = try decode(
            """
            {"totals":[{"product_id":"1","initial":50,"restocked":4,"on_hand":48,"reserved":5,"sold":1}],
             "reservations":[{"reservation_id":"RES-1","key":"PAY-1","product_id":null,"quantity":0,
               "state":"released"}],"next":null}
            """)
        #expect(inventory.totals.first?.onHand == 48 && inventory.reservations.first?.state == .released)
        let notices: NotificationAuditPage = try decode(#"{"notifications":[{"id":"NOT-1","key":null}],"next":"1"}"#)
        #expect(notices.notifications == [.init(id: "NOT-1", key: nil)] && notices.next == "1")
    }

    @Test func theJournalNamesEachViolation() throws {
        let violation = MoneyViolation(rule: .oneCharge, paymentID: "PAY-1", text: "twice", history: ["client: x"])
        #expect(violation.line == "(b) at most one charge: PAY-1: twice")
        let check = MoneyCheck(violations: [violation], checked: 3)
        let data = try JSONEncoder().encode(check)
        #expect(try JSONDecoder().decode(MoneyCheck.self, from: data) == check)
        let json = try JSONDecoder().decode(JSONValue.self, from: data)
        #expect(
            json
                == .object([
                    "checked": .integer(3), "violation_count": .integer(1),
                    "violations": .array([
                        .object([
                            "rule": .string("b"), "name": .string("at most one charge"),
                            "payment_id": .string("PAY-1"), "text": .string("twice"),
                            "history": .array([.string("client: x")]),
                        ])
                    ]),
                ]))
    }

    @Test func theVerdictSaysWhatTheCheckFound() {
        func reasons(_ money: MoneyCheck) -> (Verdict, String?) {
            var evidence = VerdictRules.Evidence()
            evidence.dose = Fixtures.goodDose
            evidence.baseline = Fixtures.summary(Fixtures.load(2..<12))
            evidence.recoveryTimeMs = 0
            evidence.money = money
            let decision = VerdictRules.decide(evidence)
            return (decision.verdict, decision.reasons.last)
        }
        #expect(reasons(MoneyCheck(checked: 9)) == (.held, "the money is right"))
        let unchecked = reasons(MoneyCheck(notChecked: "the payment service has no audit"))
        #expect(unchecked.0 == .invalid)
        #expect(unchecked.1 == "the money was not checked: the payment service has no audit")
        let wrong = reasons(Fixtures.wrongMoney)
        #expect(wrong.0 == .deviated)
        #expect(wrong.1 == "the money is wrong: 1 violations, the first: (b) at most one charge: charged twice")
    }

    @Test func whatAnAnswerPromises() {
        let expected: [(RequestSample.Outcome, PaymentOperation.Outcome?)] = [
            (.status(200), .ok), (.status(202), .unknown), (.status(402), .declined), (.status(404), .failed),
            (.status(409), .unknown), (.status(422), .failed), (.status(429), .failed), (.status(502), .unknown),
            (.status(503), .unknown), (.status(504), .unknown), (.timedOut, .unknown), (.connectionFailed, .unknown),
            (.dropped, nil),
        ]
        for (outcome, promise) in expected {
            let sample = RequestSample(
                endpoint: "process", intendedNs: 0, sendDelayNs: 0, latencyNs: 0, outcome: outcome,
                payment: .init(idempotencyKey: "k", paymentID: nil))
            #expect(PaymentOperation(sample)?.outcome == promise, "\(outcome)")
        }
        #expect(PaymentOperation(Fixtures.sample(1)) == nil)
    }

    @Test func triesWithOneKeyAreOneOperation() {
        func merged(_ outcomes: PaymentOperation.Outcome...) -> [PaymentOperation.Outcome] {
            PaymentHistory(outcomes.map { PaymentOperation(idempotencyKey: "k", paymentID: nil, outcome: $0) })
                .operations.map(\.outcome)
        }
        #expect(merged(.unknown, .ok) == [.ok])
        #expect(merged(.ok, .unknown) == [.ok])
        #expect(merged(.unknown, .failed) == [.unknown])
        #expect(merged(.failed, .declined) == [.declined])
    }
}
