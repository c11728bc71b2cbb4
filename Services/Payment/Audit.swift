import Gateway
import Shared

/// The books for the money check: ours, and the gateway's beside them, in pages that each look at no more than `limit`
/// payments and charges, however long the books are.
///
/// ```
///   after=<id>        --> payments by id --+--> ledger, refunds, outbox of the same ids
///                                          '--> gateway: charges of the same ids
///   no more payments  --> the rest of the page, and the pages after it:
///   after=charge:<id> --> gateway: all charges by payment --> those of no payment
/// ```
struct Audit: Sendable {
    let store: PaymentStore
    let acquirer: any Acquirer

    static let limits = 1...500
    static let defaultLimit = 200

    /// Where a page begins.
    enum Cursor: Sendable, Equatable {
        /// Behind the payment with this id; the first page is behind the empty one.
        case payment(String)
        /// All payments were told; behind the charge of the payment with this id.
        case charge(String)

        private static let chargePrefix = "charge:"

        /// - Parameter text: `next` of the page before, empty for the first. Nil for what can be none.
        init?(_ text: String) {
            let isCharge = text.hasPrefix(Self.chargePrefix)
            let id = isCharge ? String(text.dropFirst(Self.chargePrefix.count)) : text
            guard id.utf8.count <= 64, !id.utf8.contains(0) else { return nil }
            self = isCharge ? .charge(id) : .payment(id)
        }

        var text: String {
            switch self {
            case .payment(let id): id
            case .charge(let id): Self.chargePrefix + id
            }
        }
    }

    /// - Parameter limit: the most that the page looks at, payments and charges together.
    func page(after cursor: Cursor, limit: Int) async throws -> [String: JSONValue] {
        switch cursor {
        case .payment(let id):
            let entries = try await store.auditPage(after: id, limit: limit).entries
            let charges = Dictionary(
                grouping: try await acquirer.charges(ofPayments: entries.map(\.id)), by: \.paymentID)
            let payments = entries.map { Self.document($0, charges: charges[$0.id, default: []]) }
            if entries.count == limit, let last = entries.last {
                return Self.page(payments, [], next: .payment(last.id))
            }
            let (orphans, next) = try await chargesWithoutPayment(after: "", limit: limit - entries.count)
            return Self.page(payments, orphans, next: next)
        case .charge(let id):
            let (orphans, next) = try await chargesWithoutPayment(after: id, limit: limit)
            return Self.page([], orphans, next: next)
        }
    }

    /// Money that the gateway took for nothing that we know of, among the next `limit` charges. A payment is stored
    /// before its charge, so the charges are read first: none of them can have come before its payment.
    private func chargesWithoutPayment(
        after id: String, limit: Int
    ) async throws -> (orphans: [GatewayCharge], next: Cursor?) {
        let charges = try await acquirer.charges(afterPayment: id, limit: limit)
        let unknown = try await store.unknown(among: charges.map(\.paymentID))
        let next = charges.count == limit ? charges.last.map { Cursor.charge($0.paymentID) } : nil
        return (charges.filter { unknown.contains($0.paymentID) }, next)
    }

    private static func page(
        _ payments: [JSONValue], _ orphans: [GatewayCharge], next: Cursor?
    ) -> [String: JSONValue] {
        [
            "payments": .array(payments), "charges_without_payment": .array(orphans.map(\.document)),
            "next": .optional(next?.text),
        ]
    }

    private static func document(_ entry: AuditPage.Entry, charges: [GatewayCharge]) -> JSONValue {
        let lists: [String: JSONValue] = [
            "ledger": .array(entry.ledger), "refunds": .array(entry.refunds), "outbox": .array(entry.outbox),
            "charges": .array(charges.map(\.document)),
        ]
        return .object(entry.members.merging(lists) { own, _ in own })
    }
}

extension GatewayCharge {
    fileprivate var document: JSONValue {
        let name = if case .approved = state { "approved" } else { "declined" }
        return .object([
            "charge_id": .string(id), "payment_id": .string(paymentID), "idempotency_key": .optional(idempotencyKey),
            "amount_minor": .integer(amount.minorUnits), "currency": .string(amount.currency.code),
            "state": .string(name), "refunded_minor": .integer(refundedMinorUnits),
        ])
    }
}
