import Foundation
import HTTPTypes
import Hummingbird
import Shared

/// An answer of `/payment/process` as it leaves, and as it is kept for whoever asks again with the same key.
struct Answer: Sendable, Equatable {
    let status: Int
    /// A JSON object.
    let body: String

    init(status: Int, body: String) {
        self.status = status
        self.body = body
    }

    init(success members: [String: JSONValue]) {
        self.init(status: 200, body: canonicalJSON(members))
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

extension JSONValue {
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
