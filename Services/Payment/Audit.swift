import Gateway
import Shared

/// The books for the money check: ours, and the gateway's beside them, in pages that each cost the same.
///
/// ```
///   after=<id> --> payments by id --+--> ledger, refunds, outbox of the same ids
///                                   '--> gateway: charges of the same ids
///   last page  --> gateway: every charge, in pages --> those of no payment
/// ```
struct Audit: Sendable {
    let store: PaymentStore
    let acquirer: any Acquirer

    static let limits = 1...500
    static let defaultLimit = 200

    /// - Parameters:
    ///   - cursor: `next` of the page before; empty for the first page.
    ///   - limit: of payments, and of charges without payment.
    func page(after cursor: String, limit: Int) async throws -> [String: JSONValue] {
        let page = try await store.auditPage(after: cursor, limit: limit)
        let charges = Dictionary(
            grouping: try await acquirer.charges(ofPayments: page.entries.map(\.id)), by: \.paymentID)
        let isLast = page.entries.count < limit
        let orphans = isLast ? try await chargesWithoutPayment(limit: limit) : []
        return [
            "payments": .array(
                page.entries.map { entry in
                    let documents = charges[entry.id, default: []].map(\.document)
                    let lists: [String: JSONValue] = [
                        "ledger": .array(entry.ledger), "refunds": .array(entry.refunds),
                        "outbox": .array(entry.outbox), "charges": .array(documents),
                    ]
                    return .object(entry.members.merging(lists) { own, _ in own })
                }),
            "charges_without_payment": .array(orphans.map(\.document)),
            "next": .optional(isLast ? nil : page.entries.last?.id),
        ]
    }

    /// Money that the gateway took for nothing that we know of. A payment is stored before its charge, so the charges
    /// are read first: none of them can have come before its payment.
    private func chargesWithoutPayment(limit: Int) async throws -> [GatewayCharge] {
        var found: [GatewayCharge] = []
        var cursor = ""
        while found.count < limit {
            let charges = try await acquirer.charges(afterPayment: cursor, limit: Self.limits.upperBound)
            let unknown = try await store.unknown(among: charges.map(\.paymentID))
            found += charges.filter { unknown.contains($0.paymentID) }
            guard charges.count == Self.limits.upperBound, let last = charges.last else { break }
            cursor = last.paymentID
        }
        return Array(found.prefix(limit))
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
