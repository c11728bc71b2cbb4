import Foundation
import HTTPTypes
import Hummingbird
import ServiceTesting
import Shared
import Synchronization
import TestSupport
import Testing

@testable import PaymentService

@Suite("A payment among failures")
struct PaymentFailureTests {
    @Test("gives up on a silent inventory in time")
    func silentInventory() async throws {
        try await RawServer.run(answering: nil) { url in
            var options = PaymentLab.Options()
            options.inventoryURL = url
            options.inventoryTimeout = .milliseconds(150)
            try await PaymentLab.run(options) { lab in
                let answer = try await lab.pay()
                #expect(answer.status == 504 && answer.isProblem, "\(answer.text)")
                #expect(answer["source"] == .string("inventory"))
                #expect(try await lab.status(answer) == "failed")
            }
        }
    }

    @Test("answers /health while every payment waits for inventory")
    func health() async throws {
        try await RawServer.run(answering: nil) { url in
            var options = PaymentLab.Options()
            options.inventoryURL = url
            options.inventoryTimeout = .seconds(4)
            try await PaymentLab.run(options) { lab in
                try await withThrowingTaskGroup(of: ContinuousClock.Instant.self) { group in
                    for _ in 0..<40 {
                        group.addTask {
                            _ = try await lab.pay()
                            return .now
                        }
                    }
                    for _ in 0..<10 {
                        let answer = try await lab.payment.get("/health")
                        #expect(answer.status == 200)
                    }
                    let answered = ContinuousClock.now
                    for try await ended in group { #expect(ended > answered) }
                }
            }
        }
    }

    @Test(
        "calls an inventory that fails or makes no sense a bad gateway",
        arguments: [
            RawServer.response(status: 500, "{}"), RawServer.response(status: 503, #"{"error":"busy"}"#),
            RawServer.response(status: 200, "<html>", contentType: "text/html"),
            RawServer.response(status: 200, "[]"), RawServer.response(status: 302, ""), "garbage\r\n\r\n", "",
            RawServer.response(status: 429, "{}"), RawServer.response(status: 200, #"{"available":true}"#),
        ])
    func brokenInventory(answer: String) async throws {
        try await RawServer.run(answering: answer) { url in
            var options = PaymentLab.Options()
            options.inventoryURL = url
            try await PaymentLab.run(options) { lab in
                let payment = try await lab.pay()
                #expect(payment.status == 502 && payment.isProblem, "\(payment.text)")
                #expect(payment["source"] == .string("inventory"))
                #expect(!payment.text.contains("127.0.0.1"))
                #expect(try await lab.status(payment) == "failed")
            }
        }
    }

    @Test("calls an inventory that nobody runs a bad gateway")
    func refusingInventory() async throws {
        var options = PaymentLab.Options()
        options.inventoryURL = RawServer.refusingURL
        try await PaymentLab.run(options) { lab in
            let payment = try await lab.pay()
            #expect(payment.status == 502 && !payment.text.contains("127.0.0.1"), "\(payment.text)")
            #expect(try await lab.status(payment) == "failed")
        }
    }

    @Test("keeps within its caller's deadline, and refuses what came after it")
    func deadline() async throws {
        try await RawServer.run(answering: nil) { url in
            var options = PaymentLab.Options()
            options.inventoryURL = url
            try await PaymentLab.run(options) { lab in
                let body = #"{"amount":5,"product_id":"1"}"#
                let late = try await lab.payment.post("/payment/process", body, headers: [.requestDeadline: "80"])
                #expect(late.status == 504 && late["source"] == .string("inventory"), "\(late.text)")
                #expect(try await lab.status(late) == "failed")
                let passed = try await lab.payment.post("/payment/process", body, headers: [.requestDeadline: "0"])
                #expect(passed.status == 504 && passed.isProblem && passed["payment_id"] == nil)
                let nonsense = try await lab.payment.post("/payment/process", body, headers: [.requestDeadline: "x"])
                #expect(nonsense.status == 400)
            }
        }
    }

    @Test("is hit by failure modes at 100 %, by none at 0 %, and test cards by none at all")
    func failureModes() async throws {
        try await PaymentLab.run { lab in
            try await lab.change { ($0.stolenCardEnabled, $0.stolenCardProbability) = (true, 100) }
            let stolen = try await lab.pay()
            #expect(stolen.status == 402 && stolen["decline_code"] == .string("stolen_card"), "\(stolen.text)")
            #expect(stolen["detail"] == .string("The card was declined."))

            try await lab.change {
                $0.stolenCardProbability = 0
                ($0.cardDeclineEnabled, $0.cardDeclineProbability) = (true, 100)
            }
            let declined = try await lab.pay()
            #expect(declined.status == 402 && declined["decline_code"] == .string("generic_decline"))
            let test = #"{"amount":5,"product_id":"1","card_number":"4242424242424242"}"#
            #expect(try await lab.pay(test).status == 200)
            try await lab.change { $0.cardDeclineEnabled = false }
            #expect(try await lab.pay().status == 200)

            try await lab.change {
                ($0.gatewayTimeoutEnabled, $0.gatewayTimeoutProbability, $0.gatewayTimeoutDelay) = (true, 100, 1)
            }
            let silent = try await lab.pay()
            #expect(silent.status == 504 && silent["source"] == .string("gateway") && silent.isProblem)
            #expect(silent["detail"]?.text?.contains("timeout") == true)
            try await lab.settles(silent, "completed")
            try await lab.change { $0.gatewayTimeoutPhase = .beforeCharge }
            try await lab.settles(try await lab.pay(), "failed")
            try await lab.change { $0.gatewayTimeoutProbability = 0 }
            #expect(try await lab.pay().status == 200)
            try await eventually { try await lab.stock("1") == 46 }
            #expect(lab.log.text.contains("gateway-timeout"))
        }
    }

    @Test("ends what is under way when its task is cancelled", arguments: [true, false])
    func cancellation(isCharged: Bool) async throws {
        try await PaymentLab.run { lab in
            let order = try lab.order(#"{"amount":5,"product_id":"1"}"#)
            let acquirer = CancelledAcquirer(charges: isCharged)
            let outcome = try await lab.withParts(acquirer) { parts in
                try await withThrowingTaskGroup(of: Answer.self) { group in
                    group.addTask { try await parts.processor.process(order, keyName: "k").answer }
                    for await _ in acquirer.asked { break }
                    group.cancelAll()
                    return try await group.next()
                }
            }
            let answer = try #require(outcome)
            #expect(answer.status == (isCharged ? 200 : 503), "\(answer.body)")
            #expect(answer.response(isReplay: false).headers[.retryAfter] == (isCharged ? nil : "1"))
            // What is not known is settled by the workers of the replica that lives.
            try await eventually {
                try await lab.pay(#"{"amount":5,"product_id":"1"}"#, key: "k").status == (isCharged ? 200 : 502)
            }
            let again = try await lab.pay(#"{"amount":5,"product_id":"1"}"#, key: "k")
            if isCharged { #expect(again.text == answer.body) }
            #expect(try await lab.status(again) == (isCharged ? "completed" : "failed"))
            try await eventually { try await lab.stock("1") == (isCharged ? 49 : 50) }
        }
    }

    @Test("is answered 503 with its id when the store goes while it is under way, and so is a refund")
    func storeGoes() async throws {
        try await PaymentLab.run { lab in
            let id = try #require(try await lab.pay()["payment_id"]?.text)
            for last in [WorkStep.charged, .refundGiven] {
                let store = Mutex<(any Database)?>(nil)
                let hook = StepHook { if $0 == last { await store.withLock { $0 }?.close() } }
                let problem = await #expect(throws: Problem.self) {
                    try await lab.withParts(hook: hook) { (parts) async throws -> Void in
                        store.withLock { $0 = parts.store.database }
                        if last == .charged {
                            _ = try await parts.processor.process(lab.order(), keyName: nil)
                        } else {
                            _ = try await parts.refunds.refund(id, amount: nil, key: nil)
                        }
                    }
                }
                #expect(problem?.status == .serviceUnavailable && problem?.headers[.retryAfter] == "1", "\(last)")
                #expect(problem?.members[last == .charged ? "payment_id" : "refund_id"]?.text != nil)
            }
            // Both are ended all the same, by a replica that lives.
            try await eventually {
                try await lab.payment.get("/payment/status/\(id)")["status"] == .string("refunded")
            }
            try await eventually { try await lab.payment.get("/payment/backlog")["pending_payments"] == .integer(0) }
        }
    }

    @Test("leaves a card number nowhere")
    func cardNumber() async throws {
        try await PaymentLab.run { lab in
            let numbers = ["5555555555554444", "378282246310005", "4000000000009979"]
            var answers = ""
            for number in numbers {
                let paid = #"{"amount":5,"product_id":"1","card_number":"\#(number)"}"#
                answers += try await lab.pay(paid, key: "k-\(number.suffix(4))").text
                answers += try await lab.payment.post("/payment/validate", #"{"card_number":"\#(number)"}"#).text
                let misplaced = #"{"amount":5,"product_id":"1","payment_method":"\#(number)"}"#
                answers += try await lab.pay(misplaced).text
                let invalid = #"{"amount":5,"product_id":"1","card_number":"\#(number)1"}"#
                answers += try await lab.pay(invalid).text
                answers += try await putElsewhere(number, lab)
            }
            let stored = try await storedBytes(in: lab.folder)
            for number in numbers {
                #expect(!answers.contains(number) && answers.contains(String(number.suffix(4))))
                #expect(!lab.log.text.contains(number))
                #expect(!stored.contains { $0.range(of: Data(number.utf8)) != nil })
            }
            // The search finds what is there.
            #expect(stored.contains { $0.range(of: Data("4444".utf8)) != nil })
            #expect(lab.log.text.contains("***4444"))
        }
    }

    /// Everything else that a caller may fill in; all of it is kept, sent on or logged.
    private func putElsewhere(_ number: String, _ lab: PaymentLab) async throws -> String {
        var answers = ""
        let grouped = stride(from: 0, to: number.count, by: 4).map { number.dropFirst($0).prefix(4) }
            .joined(separator: " ")
        let order = #""amount":5,"product_id":"1""#
        let texts: [(TestClient, String, String, body: String)] = [
            (lab.payment, "/payment/process", "product_id", #"{"amount":5,"product_id":"\#(number)"}"#),
            (lab.payment, "/payment/process", "product_id", #"{"amount":5,"product_id":\#(number)}"#),
            (lab.payment, "/payment/process", "recipient", #"{\#(order),"recipient":"me \#(number)"}"#),
            (lab.payment, "/payment/process", "currency", #"{\#(order),"currency":"\#(number)"}"#),
            (lab.payment, "/payment/refund", "payment_id", #"{"payment_id":"\#(number)"}"#),
            (lab.payment, "/payment/chain", "product_id", #"{"product_id":"\#(number)"}"#),
            (lab.inventory, "/reserve", "product_id", #"{"product_id":"\#(number)"}"#),
            (lab.inventory, "/reserve", "reservation_key", #"{"product_id":"1","reservation_key":"\#(number)"}"#),
            (lab.inventory, "/restock", "product_id", #"{"product_id":"\#(number)","quantity":1}"#),
            (lab.notification, "/send", "message", #"{"message":"paid with \#(number)"}"#),
            (lab.notification, "/send", "type", #"{"type":"\#(number)"}"#),
            (lab.notification, "/send", "recipient", #"{"recipient":"\#(number)"}"#),
            (lab.notification, "/send", "notification_key", #"{"notification_key":"\#(number)"}"#),
        ]
        for (service, path, field, body) in texts {
            let answer = try await service.post(path, body)
            #expect(answer.status == 422 && answer.isProblem, "\(path) \(field): \(answer.text)")
            #expect(answer.text.contains(#"{"field":"\#(field)","message":"must not contain a card number"}"#))
            answers += answer.text
        }
        let key = try await lab.pay(key: "key-\(number)")
        #expect(key.status == 422 && key.text.contains("Idempotency-Key"), "\(key.text)")
        answers += key.text
        let segment = URLEscape.pathSegment(grouped)
        let paths: [(TestClient, String)] = [
            (lab.payment, "/payment/status/\(number)"), (lab.payment, "/payment/events/\(number)"),
            (lab.inventory, "/check/\(number)"), (lab.inventory, "/check/\(segment)"),
            (lab.notification, "/status/\(number)"), (lab.notification, "/\(number)"),
        ]
        for (service, path) in paths {
            let answer = try await service.get(path)
            #expect(answer.status == 404, "\(answer.text)")
            #expect(!answer.text.contains(grouped) && !answer.text.contains(segment))
            answers += answer.text
        }
        // An unknown key is kept, so that it cannot be reserved with any more.
        let released = try await lab.inventory.post("/reservations/\(number)/release")
        #expect(released.status == 404, "\(released.text)")
        return answers + released.text
    }
}
