import Experiments
import Foundation
import HTTPTypes
import Shared

@testable import ScenarioRunner
@testable import Verdict

/// The customers: each makes one payment after the other, asks again where it learnt nothing, and some want their money
/// back.
///
/// ```
///   order --> /payment/process --ok----------------------> /payment/refund, for one in ten
///                 ^      |-----declined, failed----------> next order
///                 '-pause-- nothing learnt, tries left     (none left: gone without knowing)
/// ```
struct SoakClients: Sendable {
    let plan: SoakPlan
    let paymentURL: String
    let client: HTTPClient
    let record: SoakRecord
    /// Whether they go on until every kind of loss was there.
    var waitForLosses = true

    /// Returns when all payments are made and every kind of loss was there meanwhile, or when `stop` opens.
    func run(unless stop: Latch) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<plan.clients { group.addTask { try await makePayments(unless: stop) } }
            try await group.waitForAll()
        }
    }

    private func makePayments(unless stop: Latch) async throws {
        while !stop.isOpen {
            let index = record.nextIndex()
            // A fast machine has made them all before every path has lost packets.
            guard index < plan.payments || waitForLosses && !record.hasHadEveryLoss else { return }
            let order = SoakOrder(index: index, seed: plan.seed)
            let operation = try await pay(order)
            if operation.outcome == .ok, let id = operation.paymentID { try await refund(order, id) }
            record.change { $0.operations.append(operation) }
        }
    }

    private func pay(_ order: SoakOrder) async throws -> PaymentOperation {
        let body = #"{"amount": "\#(order.amount.text)", "product_id": "\#(order.productID)"}"#
        var paymentID: String?
        for attempt in 1...order.tries {
            let answer = try await post("/payment/process", body, key: order.key)
            if let id = answer.paymentID {
                if let paymentID, paymentID != id {
                    record.change { $0.brokenPromises.append("key \(order.key) is \(paymentID), and also \(id)") }
                }
                paymentID = id
            }
            if answer.promise != .unknown { return PaymentOperation(order, paymentID: paymentID, answer.promise) }
            if attempt < order.tries { try await Task.sleep(for: order.pause) }
        }
        return PaymentOperation(order, paymentID: paymentID, .unknown)
    }

    private func refund(_ order: SoakOrder, _ paymentID: String) async throws {
        guard let amount = order.refund else { return }
        let body = #"{"payment_id": "\#(paymentID)", "amount": "\#(amount.text)"}"#
        for attempt in 1...order.tries {
            let answer = try await post("/payment/refund", body, key: "refund-\(order.key)")
            if answer.outcome == .status(200) { return note(paymentID, amount, isAcknowledged: true) }
            // 409 is also the answer to a key whose first request is under way; the books tell at the end.
            if case .status(400..<500) = answer.outcome, answer.outcome != .status(409) {
                record.change {
                    $0.brokenPromises.append("\(paymentID) was paid, and its refund refused: \(answer.outcome)")
                }
                return
            }
            if attempt < order.tries { try await Task.sleep(for: order.pause) }
        }
        note(paymentID, amount, isAcknowledged: false)
    }

    private func note(_ paymentID: String, _ amount: Money, isAcknowledged: Bool) {
        record.change {
            $0.refunds.append(.init(paymentID: paymentID, amount: amount, isAcknowledged: isAcknowledged))
        }
    }

    private func post(_ path: String, _ body: String, key: String) async throws -> SoakAnswer {
        record.change { $0.requests += 1 }
        let request = HTTPClientRequest(
            method: .post, url: paymentURL + path,
            headers: [.contentType: "application/json", .idempotencyKey: key], body: Data(body.utf8),
            timeout: plan.patience)
        do {
            let response = try await client.execute(request)
            let isReplay = HTTPField.Name("Idempotent-Replayed").map { response.headers[$0] == "true" } ?? false
            return SoakAnswer(
                outcome: .status(response.status), paymentID: try? response.decode(JSONValue.self)["payment_id"]?.text,
                isReplay: isReplay)
        } catch HTTPClientError.timedOut {
            return SoakAnswer(outcome: .timedOut)
        } catch is HTTPClientError {
            return SoakAnswer(outcome: .connectionFailed)
        }
    }
}
