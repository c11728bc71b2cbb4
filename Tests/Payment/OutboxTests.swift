import Foundation
import Gateway
import ServiceTesting
import Shared
import TestSupport
import Testing

@testable import PaymentService

@Suite("What is left to do, and the books")
struct OutboxTests {
    private static let later: @Sendable () -> UnixTime = { UnixTime.now.advanced(bySeconds: 3600) }

    @Test("is delivered by whoever claims it, once a key, with two workers at it")
    func twoWorkers() async throws {
        var options = PaymentLab.Options()
        options.notificationURL = RawServer.refusingURL
        options.workerPeriod = .seconds(1)
        try await PaymentLab.run(options) { lab in
            for _ in 0..<5 { #expect(try await lab.pay()["notification_status"] == .string("pending")) }
            let claimed = try await lab.withParts(clock: Self.later) { one in
                try await lab.withParts(clock: Self.later) { other in
                    async let first = one.deliverer.deliverWaiting()
                    async let second = other.deliverer.deliverWaiting()
                    return try await first + second
                }
            }
            #expect(claimed == 5)
            #expect(try await lab.notification.get("/history")["total_count"] == .integer(5))
            for entry in try await lab.audit() {
                guard case .array(let outbox) = entry["outbox"] else { continue }
                #expect(outbox.map { $0["kind"]?.text } == ["confirm", "notification"])
                #expect(outbox.allSatisfy { $0["state"] == .string("done") && $0["key"] == entry["payment_id"] })
            }
        }
    }

    @Test("stands in the books while the inventory has not heard of it")
    func releaseWaits() async throws {
        try await PaymentLab.run { lab in
            try await lab.withParts { dead in
                let order = try JSONDecoder().decode(
                    PaymentOrder.self, from: Data(#"{"amount":1,"product_id":"1"}"#.utf8))
                _ = try await dead.store.begin(order, id: "PAY-1", key: nil)
                // Its replica died before it could say so to the inventory.
                let settlement = Settlement(
                    event: .failed, scenario: nil, answer: Answer(status: 502, body: "{}"), releasesStock: true,
                    events: [])
                #expect(try await dead.store.settle("PAY-1", settlement)?.map(\.content) == [.release])
            }
            let backlog = try await lab.payment.get("/payment/backlog")
            #expect(backlog.status == 200 && backlog["pending_payments"] == .integer(0))
            #expect(backlog["outbox"] == .integer(1) && backlog["pending_refunds"] == .integer(0))
            let entry = try #require(try await lab.audit().first)
            let waiting = ["kind": "release", "key": "PAY-1", "state": "waiting"].mapValues(JSONValue.string)
            #expect(entry["outbox"] == .array([.object(waiting)]))
        }
    }

    @Test("holds a back order for goods that were sold elsewhere meanwhile, until the next delivery")
    func backOrder() async throws {
        var options = PaymentLab.Options()
        options.reservationSeconds = 1
        try await PaymentLab.run(options) { lab in
            try await lab.change {
                ($0.gatewayTimeoutEnabled, $0.gatewayTimeoutProbability, $0.gatewayTimeoutDelay) = (true, 100, 5)
            }
            async let payment = lab.pay(#"{"amount":100,"product_id":"1","quantity":50}"#)
            try await eventually { try await lab.stock("1") == 0 }
            // The gateway is silent for longer than the reservation lasts, and somebody else is served.
            try await eventually { try await lab.stock("1") == 50 }
            let other = #"{"product_id":"1","quantity":7,"reservation_key":"other"}"#
            #expect(try await lab.inventory.post("/reserve", other).status == 200)
            #expect(try await lab.inventory.post("/reservations/other/confirm").status == 200)
            let answer = try await payment
            #expect(answer.status == 504)
            try await lab.settles(answer, "completed")
            let id = try #require(answer["payment_id"]?.text)
            try await eventually { try await lab.payment.get("/payment/events/\(id)").text.contains("attempt 2: ") }
            #expect(try await lab.inventory.get("/audit").text.contains(#""state":"expired""#))

            #expect(try await lab.inventory.post("/restock", #"{"product_id":"1","quantity":7}"#).status == 200)
            try await eventually {
                try await !lab.inventory.get("/audit").text.contains(#""state":"expired""#)
            }
            let totals = try await lab.inventory.get("/audit")["totals"]
            guard case .array(let products) = totals else { return }
            #expect(products.first?["sold"] == .integer(57) && products.first?["on_hand"] == .integer(0))
            #expect(try await lab.audit().first?["charges"]?.count == 1)
        }
    }

    @Test("gives back a refund that nobody ended, once")
    func refund() async throws {
        try await PaymentLab.run { lab in
            let paid = try await lab.pay()
            let id = try #require(paid["payment_id"]?.text)
            let amount = Money(minorUnits: 3000, currency: .usd)
            let key = IdempotencyKey(name: "r", requestText: "r")
            try await lab.withParts(clock: Self.later) { dead in
                guard case .begun(let refund) = try await dead.store.beginRefund(id, amount: amount, key: key) else {
                    Issue.record("not begun")
                    return
                }
                // The gateway gave it, and its replica died before it could write that down.
                #expect(try await dead.acquirer.refund(refund.id, of: id, amount: amount))
                let again = try await dead.store.beginRefund(id, amount: amount, key: key)
                #expect(again == .ended(.running(refundID: refund.id)))
            }
            let begun = try #require(try await lab.audit().first?["refunds"])
            guard case .array(let refunds) = begun, refunds.count == 1, refunds[0]["state"] == .string("pending") else {
                Issue.record("not one pending refund: \(begun)")
                return
            }
            let rest = try await lab.payment.post("/payment/refund", #"{"payment_id":"\#(id)","amount":70.01}"#)
            #expect(rest.status == 409, "\(rest.text)")
            try await lab.withParts(clock: { Self.later().advanced(bySeconds: 5) }) { (other) async throws -> Void in
                #expect(try await other.refunds.finishAbandoned() == 1)
                #expect(try await other.refunds.finishAbandoned() == 0)
            }
            let entry = try #require(try await lab.audit().first)
            #expect(entry["status"] == .string("partially_refunded") && entry["refunded_minor"] == .integer(3000))
            guard case .array(let charges) = entry["charges"] else { return }
            #expect(charges.compactMap { $0["refunded_minor"] } == [.integer(3000)])
        }
    }

    @Test("balance in every transaction, and are read in pages that miss nothing")
    func audit() async throws {
        try await PaymentLab.run { lab in
            var ids: Set<String> = []
            for number in 1...7 {
                let card = number == 3 ? #","payment_method":"pm_card_visa_chargeDeclined""# : ""
                let paid = try await lab.pay(#"{"amount":"19.99","product_id":"5"\#(card)}"#, key: "k\(number)")
                ids.insert(try #require(paid["payment_id"]?.text))
                guard number < 3, let id = paid["payment_id"]?.text else { continue }
                _ = try await lab.payment.post("/payment/refund", #"{"payment_id":"\#(id)","amount":"\#(number).50"}"#)
            }
            for limit in [1, 3, 7, 500] {
                let entries = try await lab.audit(limit: limit)
                #expect(entries.count == 7 && Set(entries.compactMap { $0["payment_id"]?.text }) == ids)
            }
            var sums: [String: Int64] = [:]
            for entry in try await lab.audit() {
                guard case .array(let ledger) = entry["ledger"] else { continue }
                for line in ledger {
                    guard let id = line["transaction_id"]?.text, case .integer(let minor) = line["amount_minor"] else {
                        Issue.record("no ledger line: \(line)")
                        continue
                    }
                    sums[id, default: 0] += minor
                }
            }
            #expect(sums.count == 8 && sums.values.allSatisfy { $0 == 0 })
            try await lab.withParts { parts in
                _ = try await parts.acquirer.authorise(
                    ChargeRequest(
                        paymentID: "PAY-0", amount: Money(minorUnits: 1, currency: .usd), instrument: .unnamed))
            }
            let last = try await lab.payment.get("/payment/audit")
            #expect(last["next"] == .null && last["charges_without_payment"]?.count == 1)
            let tooLong = String(repeating: "x", count: 65)
            for query in ["limit=0", "limit=501", "limit=x", "after=\(tooLong)", "after=charge:\(tooLong)"] {
                #expect(try await lab.payment.get("/payment/audit?\(query)").status == 422, "\(query)")
            }
        }
    }

    @Test("tell what happened to a payment, hop by hop")
    func events() async throws {
        try await PaymentLab.run { lab in
            let paid = try await lab.pay()
            let id = try #require(paid["payment_id"]?.text)
            let history = try await lab.payment.get("/payment/events/\(id)")
            guard case .array(let events) = history["events"] else {
                Issue.record("no events: \(history.text)")
                return
            }
            let names = events.map { "\($0["name"]?.text ?? "") \($0["detail"]?.text ?? "")" }
            #expect(
                Array(names.prefix(5)) == [
                    "status pending", "inventory reserved", "status processing", "gateway approved",
                    "status completed",
                ])
            #expect(Set(names.dropFirst(5)) == ["confirm delivered", "notification delivered"])
            #expect(try await lab.payment.get("/payment/events/PAY-0").status == 404)
        }
    }
}
