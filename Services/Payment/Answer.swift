import Foundation
import HTTPTypes
import Hummingbird
import Shared

/// An answer of `/payment/process` as it leaves, and as it is kept for whoever asks again with the same key.
struct Answer: Sendable, Equatable {
    let status: Int
    /// A JSON object.
    let body: String

    /// When to come again after a 503; headers are not kept, so it is one number for all of them.
    static let retrySeconds = 1

    init(status: Int, body: String) {
        self.status = status
        self.body = body
    }

    /// - Parameters:
    ///   - check: the product as inventory described it.
    ///   - took: since the payment began.
    ///   - isNotified: false while the notification waits in the outbox.
    static func success(
        _ payment: Payment, check: JSONValue, reservationID: String, took: Duration, isNotified: Bool
    ) -> Answer {
        Answer(
            status: 200,
            body: canonicalJSON([
                "payment_id": .string(payment.id), "status": .string("success"),
                "amount": .decimal(payment.amount.decimal), "currency": .string(payment.amount.currency.code),
                "inventory_check": check, "processing_time_ms": .milliseconds(took),
                "timestamp": .decimal(UnixTime.now.decimalSeconds), "reservation_id": .string(reservationID),
                "notification_status": .string(isNotified ? "sent" : "pending"),
            ]))
    }

    /// The payment is accepted, and what becomes of it is known later; its status tells.
    static func pending(_ payment: Payment) -> Answer {
        Answer(
            status: 202,
            body: canonicalJSON([
                "payment_id": .string(payment.id), "status": .string("pending"),
                "amount": .decimal(payment.amount.decimal), "currency": .string(payment.amount.currency.code),
                "timestamp": .decimal(UnixTime.now.decimalSeconds),
            ]))
    }

    /// A problem that names its payment.
    static func failure(_ problem: Problem, of paymentID: String) -> Answer {
        var problem = problem
        problem.members["payment_id"] = .string(paymentID)
        return Answer(problem)
    }

    init(_ problem: Problem) {
        guard case .object(let members) = problem.document(instance: "/payment/process") else {
            preconditionFailure("a problem is always a JSON object")
        }
        self.init(status: problem.status.code, body: canonicalJSON(members))
    }

    func response(isReplay: Bool) -> Response {
        let type = status >= 400 ? "application/problem+json" : "application/json"
        var response = Response.text(body, contentType: "\(type); charset=utf-8")
        response.status = HTTPResponse.Status(code: status)
        if status == 503 { response.headers[.retryAfter] = String(Self.retrySeconds) }
        if isReplay { response.headers[.idempotentReplayed] = "true" }
        return response
    }
}

/// JSON with sorted keys: the same members always give the same text.
func canonicalJSON(_ members: [String: JSONValue]) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    // A JSONValue has no number that JSON lacks, so encoding it cannot fail.
    guard let data = try? encoder.encode(members) else { preconditionFailure("a JSONValue is always JSON") }
    return String(decoding: data, as: UTF8.self)
}

extension Problem {
    /// 402. A thief does not learn that the card is known to be stolen.
    static func declined(_ code: DeclineCode) -> Problem {
        Problem(
            HTTPResponse.Status(code: 402, reasonPhrase: "Payment Required"), code.customerMessage,
            members: ["decline_code": .string(code.rawValue)])
    }

    /// The store failed in the middle of what was begun, which others end: 503 where that passes, else 500.
    static func unfinished(_ error: any Error, _ detail: String, members: [String: JSONValue]) -> Problem {
        switch error {
        case StoreError.busy, StoreError.closed:
            .retryLater(.serviceUnavailable, detail, seconds: Answer.retrySeconds, members: members)
        default: Problem(.internalServerError, detail, members: members)
        }
    }
}

extension JSONValue {
    /// Nil when the text is no JSON.
    init?(text: String) {
        guard let value = try? JSONDecoder().decode(JSONValue.self, from: Data(text.utf8)) else { return nil }
        self = value
    }

    /// Milliseconds with three decimals, exact.
    static func milliseconds(_ duration: Duration) -> JSONValue {
        .decimal(Decimal(sign: .plus, exponent: -3, significand: Decimal(max(0, duration.nanoseconds) / 1000)))
    }
}

extension HTTPField.Name {
    /// Stands in an answer that was given before.
    static var idempotentReplayed: HTTPField.Name { idempotentReplayedName }
}

// The name is a constant that always parses; the alternative is never taken.
private let idempotentReplayedName = HTTPField.Name("Idempotent-Replayed") ?? .expires
