import HTTPTypes
import ServiceTesting
import Shared
import Testing

@testable import PaymentService

@Suite("Giving money back")
struct RefundTests {
    private func paid(_ lab: PaymentLab, _ amount: String = "100") async throws -> String {
        try #require(try await lab.pay(#"{"amount":\#(amount),"product_id":"5"}"#)["payment_id"]?.text)
    }

    private func refund(
        _ lab: PaymentLab, _ id: String, _ amount: String? = nil, key: String? = nil
    ) async throws -> TestAnswer {
        var headers = HTTPFields()
        headers[.idempotencyKey] = key
        let member = amount.map { #","amount":\#($0)"# } ?? ""
        return try await lab.payment.post("/payment/refund", #"{"payment_id":"\#(id)"\#(member)}"#, headers: headers)
    }

    @Test("gives back part, then the rest, then nothing more")
    func parts() async throws {
        try await PaymentLab.run { lab in
            let id = try await paid(lab)
            let part = try await refund(lab, id, "30.5")
            #expect(part.status == 200, "\(part.text)")
            #expect(part["refund_id"]?.text?.hasPrefix("REF-") == true)
            #expect(part["original_payment_id"] == .string(id) && part["status"] == .string("refunded"))
            #expect(part.text.contains(#""amount":30.5,"#))
            let partly = try await lab.payment.get("/payment/status/\(id)")
            #expect(partly["status"] == .string("partially_refunded"))
            #expect(partly.text.contains(#""refunded_amount":30.5,"#))

            let tooMuch = try await refund(lab, id, "69.51")
            #expect(tooMuch.status == 409 && tooMuch.isProblem && tooMuch.text.contains(#""available":69.5,"#))
            let rest = try await refund(lab, id)
            #expect(rest.status == 200 && rest.text.contains(#""amount":69.5,"#))
            #expect(try await lab.payment.get("/payment/status/\(id)")["status"] == .string("refunded"))
            #expect(try await refund(lab, id).status == 409)
            #expect(try await refund(lab, id, "0.01").status == 409)
        }
    }

    @Test("refuses what it cannot give back")
    func refusals() async throws {
        try await PaymentLab.run { lab in
            #expect(try await refund(lab, "PAY-0").status == 404)
            let declined = try await lab.pay(
                #"{"amount":5,"product_id":"1","payment_method":"pm_card_visa_chargeDeclined"}"#)
            let answer = try await refund(lab, try #require(declined["payment_id"]?.text))
            #expect(answer.status == 409 && answer["payment_status"] == .string("declined"))

            let id = try await paid(lab)
            let amounts = ["0", "-1", "1.001", "null", "true", #""""#, #""1e1""#, "1e400", #""NaN""#, "{}", "[]"]
            for amount in amounts {
                let answer = try await refund(lab, id, amount)
                #expect(answer.status == 422 && answer.isProblem, "\(amount): \(answer.text)")
            }
            for body in ["{}", #"{"payment_id":null}"#, #"{"payment_id":[]}"#, #"{"payment_id":""}"#] {
                #expect(try await lab.payment.post("/payment/refund", body).status == 422, "\(body)")
            }
            #expect(try await BadBodies.failures(lab.payment, "/payment/refund") == [])
            #expect(try await lab.payment.get("/payment/status/\(id)")["status"] == .string("completed"))
        }
    }

    @Test("never gives back more than was paid, however many ask at once")
    func crowd() async throws {
        try await PaymentLab.run { lab in
            try await lab.withReplica { replica in
                let id = try await paid(lab)
                let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                    for number in 0..<30 {
                        let client = number.isMultiple(of: 2) ? lab.payment : replica
                        let body = #"{"payment_id":"\#(id)","amount":"30"}"#
                        group.addTask { try await client.post("/payment/refund", body).status }
                    }
                    return try await group.reduce(into: [Int: Int]()) { $0[$1, default: 0] += 1 }
                }
                #expect(statuses == [200: 3, 409: 27])
                let status = try await replica.get("/payment/status/\(id)")
                #expect(status["refunded_amount"] == .integer(90))
            }
        }
    }

    @Test("gives back once a key")
    func key() async throws {
        try await PaymentLab.run { lab in
            let id = try await paid(lab)
            let first = try await refund(lab, id, "10", key: "r")
            let again = try await refund(lab, id, "10.00", key: "r")
            #expect(first.status == 200 && again.status == 200 && first.json == again.json)
            #expect(first.headers[.idempotentReplayed] == nil && again.headers[.idempotentReplayed] == "true")
            #expect(try await refund(lab, id, "11", key: "r").status == 422)
            #expect(try await lab.payment.get("/payment/status/\(id)")["refunded_amount"] == .integer(10))
        }
    }
}
