import Foundation
import Shared

/// Puts together what the payment service tells of one payment.
///
/// ```
///   /payment/status/<id> --> status, amounts --.
///   /payment/events/<id> --> events -----------+--> one document
///   /payment/audit       --> key, charges -----'
/// ```
struct PaymentStoryReader: Sendable {
    let client: HTTPClient
    let paymentURL: String

    private static let timeout = Duration.seconds(10)
    /// A thousand events of a few hundred bytes.
    private static let maximumBytes = 1024 * 1024

    /// The members of the status, with `events` and ``Shared/JSONValue/withExponent``; and `idempotency_key` and
    /// `charges` where the books could be read.
    ///
    /// - Throws: ``RefusedRequest`` when there is no such payment, ``LabError`` when the service does not tell.
    func read(_ id: String) async throws -> JSONValue {
        let segment = URLEscape.pathSegment(id)
        guard case .object(var story) = try await document("/payment/status/\(segment)", of: id) else {
            throw LabError("the status of \(id) cannot be read")
        }
        story["events"] = try await document("/payment/events/\(segment)", of: id)["events"]
        if let entry = await bookEntry(of: id) {
            story["idempotency_key"] = entry["idempotency_key"]
            if case .array(let charges) = entry["charges"] { story["charges"] = .array(charges.map(\.withExponent)) }
        }
        return JSONValue.object(story).withExponent
    }

    /// What the books say of the payment; nil where they do not.
    private func bookEntry(of id: String) async -> JSONValue? {
        // The cursor sorts before the id, and nothing but the last of 16 random characters lies between them.
        let cursor = URLEscape.pathSegment(String(id.dropLast()))
        let page = try? await document("/payment/audit?limit=1&after=\(cursor)", of: id)
        guard case .array(let payments) = page?["payments"] else { return nil }
        return payments.first { $0["payment_id"] == .string(id) }
    }

    func document(_ path: String, of id: String) async throws -> JSONValue {
        let answer: HTTPClientResponse
        do {
            answer = try await client.execute(
                HTTPClientRequest(
                    url: paymentURL + path, timeout: Self.timeout, maxResponseBytes: Self.maximumBytes))
        } catch let error as HTTPClientError {
            throw LabError("the payment service does not answer (\(error)); is it running?")
        }
        switch answer.status {
        case 200: break
        // What the caller can mend by asking for something else is wrong usage.
        case 404, 422: throw RefusedRequest(description: "there is no payment \(id)")
        default: throw LabError("the payment service answered \(answer.status)")
        }
        guard let document = try? answer.decode(JSONValue.self) else {
            throw LabError("the answer of the payment service cannot be read")
        }
        return document
    }
}

extension JSONValue {
    /// An object with amounts, and how to write them: `exponent` is the number of decimals of its `currency` as ISO 4217
    /// has it, and null where that is unknown. Other tables, such as those of browsers, differ from it.
    var withExponent: JSONValue {
        guard case .object(var members) = self, case .string(let code) = members["currency"] else { return self }
        members["exponent"] = Currency(code: code).map { .integer(Int64($0.exponent)) } ?? .null
        return .object(members)
    }
}
