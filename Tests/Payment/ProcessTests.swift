import HTTPTypes
import ServiceTesting
import Shared
import Testing

@testable import PaymentService

@Suite("Taking a payment")
struct ProcessTests {
    @Test("charges, sells, notifies, and tells the truth about it from then on")
    func success() async throws {
        try await PaymentLab.run { lab in
            let answer = try await lab.pay(#"{"amount":"19.90","currency":"USD","product_id":1,"quantity":2}"#)
            #expect(answer.status == 200, "\(answer.text)")
            let id = try #require(answer["payment_id"]?.text)
            #expect(id.hasPrefix("PAY-"))
            #expect(answer["status"] == .string("success"))
            #expect(answer.text.contains(#""amount":19.9,"#))
            #expect(answer["currency"] == .string("USD"))
            #expect(answer["inventory_check"]?["name"] == .string("Laptop"))
            #expect(answer["inventory_check"]?["stock_count"] == .integer(50))
            #expect(answer["reservation_id"]?.text?.hasPrefix("RES-") == true)
            #expect(answer["notification_status"] == .string("sent"))
            #expect(answer["processing_time_ms"] != nil && answer["timestamp"] != nil)

            #expect(try await lab.stock("1") == 48)
            // Sold, not only reserved.
            #expect(try await lab.inventory.post("/reservations/\(id)/release").status == 409)
            let history = try await lab.notification.get("/history")
            #expect(history["total_count"] == .integer(1))
            #expect(history.text.contains("19.90 USD"))

            let first = try await lab.payment.get("/payment/status/\(id)")
            #expect(first["status"] == .string("completed") && first["refunded_amount"] == .integer(0))
            for _ in 0..<30 { #expect(try await lab.payment.get("/payment/status/\(id)").json == first.json) }
        }
    }

    @Test("sells nothing when the issuer declines, and tells a thief nothing")
    func declined() async throws {
        try await PaymentLab.run { lab in
            let cards = [
                ("4000000000000002", "generic_decline", "The card was declined."),
                ("4000 0000 0000 9995", "insufficient_funds", "The card was declined: insufficient funds."),
                ("4000-0000-0000-9979", "stolen_card", "The card was declined."),
                ("4000000000000069", "expired_card", "The card was declined: it has expired."),
            ]
            for (number, code, detail) in cards {
                let answer = try await lab.pay(#"{"amount":5,"product_id":"1","card_number":"\#(number)"}"#)
                #expect(answer.status == 402 && answer.isProblem, "\(answer.text)")
                #expect(answer["decline_code"] == .string(code))
                #expect(answer["detail"] == .string(detail))
                #expect(answer["title"] == .string("Payment Required"))
                let id = try #require(answer["payment_id"]?.text)
                let status = try await lab.payment.get("/payment/status/\(id)")
                #expect(status["status"] == .string("declined") && status["decline_code"] == .string(code))
            }
            let token = "pm_card_visa_chargeDeclinedInsufficientFunds"
            let byToken = try await lab.pay(#"{"amount":5,"product_id":"1","payment_method":"\#(token)"}"#)
            #expect(byToken["decline_code"] == .string("insufficient_funds"))
            for card in [#""card_number":"4242424242424242""#, #""payment_method":"pm_card_visa""#] {
                #expect(try await lab.pay(#"{"amount":5,"product_id":"1",\#(card)}"#).status == 200)
            }
            #expect(try await lab.stock("1") == 48)
            #expect(try await lab.notification.get("/history")["total_count"] == .integer(2))
        }
    }

    @Test("fails without a charge when there is nothing to sell")
    func noStock() async throws {
        try await PaymentLab.run { lab in
            let unknown = ["99", "../list", "a/b?x=1", "1/../2", "1%2F", "%", "1#", ".", "..", "💳"]
            for product in unknown {
                let answer = try await lab.pay(#"{"amount":5,"product_id":"\#(product)"}"#)
                #expect(answer.status == 404 && answer.isProblem, "\(product): \(answer.text)")
                #expect(try await lab.status(answer) == "failed", "\(product)")
            }
            let many = try await lab.pay(#"{"amount":5,"product_id":"3","quantity":31}"#)
            #expect(many.status == 409 && many.isProblem && many["available"] == .integer(30), "\(many.text)")
            #expect(try await lab.status(many) == "failed")
            #expect(try await lab.stock("3") == 30)
        }
    }

    @Test("succeeds when nobody can be notified, and says so")
    func notNotified() async throws {
        var options = PaymentLab.Options()
        options.notificationURL = RawServer.refusingURL
        try await PaymentLab.run(options) { lab in
            let answer = try await lab.pay()
            #expect(answer.status == 200 && answer["notification_status"] == .string("pending"), "\(answer.text)")
            #expect(try await lab.status(answer) == "completed")
            #expect(try await lab.stock("1") == 49)
        }
    }

    @Test("answers a repeated Idempotency-Key with the first answer, on any replica")
    func idempotency() async throws {
        try await PaymentLab.run { lab in
            try await lab.withReplica { replica in
                let first = try await lab.pay(key: "order-1")
                #expect(first.status == 200 && first.headers[.idempotentReplayed] == nil)
                var headers = HTTPFields()
                headers[.idempotencyKey] = "order-1"
                let again = try await replica.post(
                    "/payment/process", #"{"product_id":1,"amount":"100.00"}"#, headers: headers)
                #expect(again.status == 200 && again.text == first.text)
                #expect(again.headers[.idempotentReplayed] == "true")
                let other = try await lab.pay(#"{"amount":101,"product_id":"1"}"#, key: "order-1")
                #expect(other.status == 422 && other.isProblem)

                let declined = #"{"amount":5,"product_id":"1","payment_method":"pm_card_visa_chargeDeclined"}"#
                let refused = try await lab.pay(declined, key: "order-2")
                let refusedAgain = try await lab.pay(declined, key: "order-2")
                #expect(refused.status == 402 && refusedAgain.status == 402 && refused.text == refusedAgain.text)
                #expect(refusedAgain.isProblem)
                #expect(try await lab.stock("1") == 49)

                // What failed validation used up no key.
                #expect(try await lab.pay("{}", key: "order-3").status == 422)
                #expect(try await lab.pay(key: "order-3").status == 200)
                for key in [String(repeating: "k", count: 256), "cl\u{E9}"] {
                    #expect(try await lab.pay(key: key).status == 422, "\(key)")
                }
                #expect(try await lab.pay(key: String(repeating: "k", count: 255)).status == 200)
            }
        }
    }

    @Test("runs once when many ask with one key at the same instant")
    func sameInstant() async throws {
        try await PaymentLab.run { lab in
            let answers = try await withThrowingTaskGroup(of: TestAnswer.self) { group in
                for _ in 0..<16 { group.addTask { try await lab.pay(key: "one") } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(answers.contains { $0.status == 200 })
            for answer in answers where answer.status != 200 {
                #expect(answer.status == 409 && answer.headers[.retryAfter] == "1", "\(answer.text)")
                #expect(answer["payment_id"] != nil)
            }
            #expect(Set(answers.compactMap { $0["payment_id"]?.text }).count == 1)
            #expect(try await lab.stock("1") == 49)
        }
    }

    @Test("never sells more than there is to a crowd")
    func crowd() async throws {
        try await PaymentLab.run { lab in
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<40 {
                    group.addTask { try await lab.pay(#"{"amount":5,"product_id":"3","quantity":5}"#).status }
                }
                return try await group.reduce(into: [Int: Int]()) { $0[$1, default: 0] += 1 }
            }
            #expect(statuses == [200: 6, 409: 34])
            #expect(try await lab.stock("3") == 0)
        }
    }
}
