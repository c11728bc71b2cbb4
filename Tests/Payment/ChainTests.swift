import ServiceTesting
import Shared
import TestSupport
import Testing

@testable import PaymentService

@Suite("The chain")
struct ChainTests {
    private func steps(_ answer: TestAnswer) -> [String] {
        guard case .array(let steps) = answer["steps"] else { return [] }
        return steps.map { "\($0["service"]?.text ?? "?") \($0["status"]?.text ?? "?")" }
    }

    @Test("succeeds when both steps do, and fails its step for a 4xx")
    func success() async throws {
        try await PaymentLab.run { lab in
            for body in ["{}", #"{"product_id":5}"#] {
                let answer = try await lab.payment.post("/payment/chain", body)
                #expect(answer.status == 200, "\(answer.text)")
                #expect(answer["overall_status"] == .string("success"))
                #expect(steps(answer) == ["inventory success", "notification success"])
                #expect(answer["total_time_ms"] != nil)
            }
            for product in ["99", "../list"] {
                let answer = try await lab.payment.post("/payment/chain", #"{"product_id":"\#(product)"}"#)
                #expect(answer.status == 502 && answer.isProblem)
                #expect(answer["overall_status"] == .string("partial_failure"))
                #expect(steps(answer) == ["inventory failed", "notification success"])
            }
            #expect(try await lab.notification.get("/history")["total_count"] == .integer(4))
            #expect(try await lab.stock("1") == 50)
            for product in ["null", "true", #""""#] {
                #expect(try await lab.payment.post("/payment/chain", #"{"product_id":\#(product)}"#).status == 422)
            }
        }
    }

    @Test("fails as a whole when both steps fail")
    func failure() async throws {
        var options = PaymentLab.Options()
        options.inventoryURL = RawServer.refusingURL
        options.notificationURL = RawServer.refusingURL
        try await PaymentLab.run(options) { lab in
            let answer = try await lab.payment.post("/payment/chain", "{}")
            #expect(answer.status == 502 && answer.isProblem && !answer.text.contains("127.0.0.1"))
            #expect(answer["overall_status"] == .string("failure"))
        }
    }

    @Test("times out one step and runs the other")
    func timeout() async throws {
        try await RawServer.run(answering: nil) { url in
            var options = PaymentLab.Options()
            options.inventoryURL = url
            options.stepTimeout = .seconds(2)
            try await PaymentLab.run(options) { lab in
                var answer = try await lab.payment.post("/payment/chain", "{}")
                // On a machine that stands still, the other one may be late as well.
                try await eventually {
                    if steps(answer).last == "notification success" { return true }
                    answer = try await lab.payment.post("/payment/chain", "{}")
                    return false
                }
                #expect(answer.status == 504 && answer.isProblem, "\(answer.text)")
                #expect(steps(answer) == ["inventory failed", "notification success"])
                #expect(answer["overall_status"] == .string("partial_failure"))
            }
        }
    }
}
