import ServiceTesting
import Shared
import Testing

@testable import PaymentService

@Suite("What the payment service is asked")
struct PaymentInputTests {
    @Test("refuses bad input with the status of the contract, and names the field")
    func badInput() async throws {
        try await PaymentLab.run { lab in
            for path in ["/payment/process", "/payment/validate", "/payment/chain"] {
                #expect(try await BadBodies.failures(lab.payment, path) == [], "\(path)")
            }
            let fields = [
                #""amount":null"#, #""amount":0"#, #""amount":-5"#, #""amount":0.001"#, #""amount":1e400"#,
                #""amount":"NaN""#, #""amount":"1e3""#, #""amount":" 1""#, #""amount":true"#, #""amount":[]"#,
                #""amount":"""#, #""amount":10000000000"#, #""amount":5,"currency":"XXX""#,
                #""amount":5,"currency":"usd""#, #""amount":5,"currency":null"#, #""amount":5,"currency":840"#,
                #""amount":5.5,"currency":"JPY""#, #""amount":5,"quantity":0"#, #""amount":5,"quantity":null"#,
                #""amount":5,"quantity":1.5"#, #""amount":5,"quantity":"1""#, #""amount":5,"card_number":null"#,
                #""amount":5,"card_number":4242424242424242"#, #""amount":5,"card_number":"4242424242424241""#,
                #""amount":5,"card_number":"cards""#, #""amount":5,"payment_method":null"#,
                #""amount":5,"payment_method":"pm_unknown""#, #""amount":5,"recipient":null"#,
                #""amount":5,"payment_method":"pm_card_visa","card_number":"4242424242424242""#,
            ]
            for field in fields {
                let answer = try await lab.pay(#"{"product_id":"1",\#(field)}"#)
                #expect(answer.status == 422 && answer.isProblem, "\(field): \(answer.text)")
                #expect(answer["errors"] != nil && answer["payment_id"] == nil, "\(field)")
            }
            for product in ["null", "true", "1.5", "[]", #""""#] {
                #expect(try await lab.pay(#"{"amount":5,"product_id":\#(product)}"#).status == 422, "\(product)")
            }
            let all = try await lab.pay(#"{"amount":-1,"currency":"X","quantity":0}"#)
            for field in ["currency", "product_id", "quantity"] { #expect(all.text.contains(#""field":"\#(field)""#)) }
            #expect(try await lab.stock("1") == 50)
        }
    }

    @Test("takes exact amounts in every kind of currency")
    func amounts() async throws {
        try await PaymentLab.run { lab in
            let amounts = [
                ("19.99", "USD", "19.99"), (#""0.01""#, "USD", "0.01"), ("5", "JPY", "5"), ("5.00", "JPY", "5"),
                (#""1.234""#, "BHD", "1.234"), ("9999999999.99", "USD", "9999999999.99"), ("1e2", "USD", "100"),
            ]
            for (amount, currency, expected) in amounts {
                let answer = try await lab.pay(#"{"amount":\#(amount),"currency":"\#(currency)","product_id":"5"}"#)
                #expect(answer.status == 200 && answer.text.contains(#""amount":\#(expected),"#), "\(answer.text)")
            }
        }
    }

    @Test("checks card numbers")
    func validate() async throws {
        try await PaymentLab.run { lab in
            let numbers = [
                ("4242 4242 4242 4242", true, "visa", "****-****-****-4242"),
                ("5555555555554444", true, "mastercard", "****-****-****-4444"),
                ("378282246310005", true, "amex", "****-****-****-0005"),
                ("4242424242424241", false, "visa", "****-****-****-4241"),
                ("4242", false, "unknown", "****"), ("", false, "unknown", "****"),
                ("abcdabcdabcdabcd", false, "unknown", "****"),
            ]
            for (number, isValid, type, masked) in numbers {
                let answer = try await lab.payment.post("/payment/validate", #"{"card_number":"\#(number)"}"#)
                #expect(answer.status == 200)
                #expect(answer["valid"] == .bool(isValid), "\(number)")
                #expect(answer["card_type"] == .string(type), "\(number)")
                #expect(answer["masked_number"] == .string(masked), "\(number)")
            }
            for body in ["{}", #"{"card_number":null}"#, #"{"card_number":4242424242424242}"#] {
                #expect(try await lab.payment.post("/payment/validate", body).status == 422, "\(body)")
            }
        }
    }

    @Test("does not know what it was never asked to pay, and describes all it knows")
    func others() async throws {
        try await PaymentLab.run { lab in
            for path in ["/payment/status/PAY-0", "/payment/status/a%2Fb", "/nothing", "/payment/process/x"] {
                let answer = try await lab.payment.get(path)
                #expect(answer.status == 404 && answer.isProblem, "\(path): \(answer.text)")
            }
            let home = try await lab.payment.get("/")
            let document = try await lab.payment.get("/openapi.yaml")
            #expect(
                try OpenAPIDocument.endpoints(in: document.text) == OpenAPIDocument.endpoints(listedIn: home))
            #expect(try await lab.payment.get("/health")["service"] == .string("payment-service"))
            #expect(try await lab.payment.get("/metrics").text.contains("service_settings_version"))
        }
    }
}
