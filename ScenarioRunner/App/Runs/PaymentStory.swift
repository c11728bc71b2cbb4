import Foundation
import Shared
import Verdict

/// One payment as people read it: how it stands, what happened to it, and what the gateway's books say.
///
/// ```
///   PAY-01JD8Z...: completed, 19.99 USD, 0.00 refunded, Idempotency-Key order-7
///     +0.000 s  payment-1  status     pending
///     +0.012 s  payment-1  inventory  reserved    11.2 ms
///     +1.015 s  payment-1  gateway    no answer    1.00 s  caused by gateway-timeout
///   In the gateway's books: CHG-01JD8Z..., approved, 19.99 USD, 0.00 refunded
/// ```
struct PaymentStory: Decodable, Sendable, Equatable {
    struct Event: Decodable, Sendable, Equatable {
        /// `status`, or who was called: `inventory`, `gateway`, ...
        let name: String
        let detail: String
        let replica: String
        let timestamp: UnixTime
        let latencyMs: Double?
        /// The failure mode that caused it.
        let scenario: String?

        enum CodingKeys: String, CodingKey {
            case name, detail, replica, timestamp, scenario
            case latencyMs = "latency_ms"
        }
    }

    let paymentID: String
    let status: String
    let declineCode: String?
    let amount: Decimal
    let refundedAmount: Decimal
    let currency: String
    let idempotencyKey: String?
    let events: [Event]
    /// Nil where the books could not be read.
    let charges: [AuditedCharge]?

    enum CodingKeys: String, CodingKey {
        case status, amount, currency, events, charges
        case paymentID = "payment_id"
        case declineCode = "decline_code"
        case refundedAmount = "refunded_amount"
        case idempotencyKey = "idempotency_key"
    }

    /// - Parameter document: of ``PaymentStoryReader``.
    /// - Throws: ``LabError`` when a member is missing.
    init(_ document: JSONValue) throws {
        do {
            self = try JSONDecoder().decode(Self.self, from: JSONEncoder().encode(document))
        } catch {
            throw LabError("the answer of the payment service cannot be read: \(error)")
        }
    }

    /// The story in lines, the first of which is its summary.
    var text: String { ([summary] + table + books).joined(separator: "\n") }

    private var summary: String {
        var parts = [declineCode.map { "\(status) (\($0))" } ?? status]
        parts += ["\(text(of: amount)) \(currency)", "\(text(of: refundedAmount)) refunded"]
        if let idempotencyKey { parts.append("Idempotency-Key \(idempotencyKey)") }
        return "\(paymentID): \(parts.joined(separator: ", "))"
    }

    /// One line an event, in columns as wide as they need to be.
    private var table: [String] {
        let rows = events.map { event in
            [
                offset(of: event), event.replica, event.name, event.detail,
                event.latencyMs.map(ReportTable.duration) ?? "", event.scenario.map { "caused by \($0)" } ?? "",
            ]
        }
        let widths = (0..<6).map { column in rows.map { $0[column].count }.max() ?? 0 }
        // Numbers end at the same place, words begin there.
        let isNumber = [true, false, false, false, true, false]
        return rows.map { row in
            let cells = zip(row, zip(widths, isNumber)).map { text, column in
                let padding = String(repeating: " ", count: column.0 - text.count)
                return column.1 ? padding + text : text + padding
            }
            let line = "  " + cells.joined(separator: "  ")
            return String(line.reversed().drop { $0 == " " }.reversed())
        }
    }

    private var books: [String] {
        guard let charges else { return ["The gateway's books could not be read"] }
        guard !charges.isEmpty else { return ["In the gateway's books: no charge"] }
        return charges.map { charge in
            let (amount, refunded) = (money(charge.amountMinor), money(charge.refundedMinor))
            return "In the gateway's books: \(charge.chargeID), \(charge.state.rawValue), "
                + "\(amount) \(charge.currency), \(refunded) refunded"
        }
    }

    /// Seconds from the first event. Wall clocks of different replicas may stand a little apart.
    private func offset(of event: Event) -> String {
        let start = events.first?.timestamp ?? event.timestamp
        return String(format: "%+.3f s", Double(event.timestamp.milliseconds - start.milliseconds) / 1000)
    }

    private func text(of amount: Decimal) -> String {
        guard let currency = Currency(code: currency) else { return amount.description }
        if amount == 0 { return Money(minorUnits: 0, currency: currency).text }
        return (try? Money(positive: amount.description, currency: currency).text) ?? amount.description
    }

    private func money(_ minorUnits: Int64) -> String {
        Currency(code: currency).map { Money(minorUnits: minorUnits, currency: $0).text } ?? "\(minorUnits) minor units"
    }
}
