import Shared

/// One page of payments with what belongs to them, as the money check reads it.
struct AuditPage: Sendable {
    struct Entry: Sendable {
        let id: String
        /// The members of the payment itself.
        let members: [String: JSONValue]
        let ledger: [JSONValue]
        let refunds: [JSONValue]
        let outbox: [JSONValue]
    }

    let entries: [Entry]
}

/// The answer of `GET /payment/backlog`.
struct BacklogAnswer: Encodable, Sendable, Equatable {
    /// Payments whose outcome is not known yet, those under way at this moment among them.
    let pendingPayments: Int64
    let pendingRefunds: Int64
    /// Confirmations, releases and notifications that are still to be sent.
    let outbox: Int64

    enum CodingKeys: String, CodingKey {
        case outbox
        case pendingPayments = "pending_payments"
        case pendingRefunds = "pending_refunds"
    }
}

extension PaymentStore {
    /// Up to `limit` payments in the order of their ids, from the first after `cursor`, on one snapshot.
    func auditPage(after cursor: String, limit: Int) async throws -> AuditPage {
        try await database.read { connection in
            let rows = try connection.query(
                "SELECT * FROM payment WHERE id > $1 ORDER BY id LIMIT $2", [.text(cursor), .integer(limit)])
            guard let last = try rows.last?.text("id") else { return AuditPage(entries: []) }
            func rowsOfPage(_ table: String, _ condition: String, by order: String) throws -> [String: [SQLRow]] {
                let found = try connection.query(
                    """
                    SELECT * FROM \(table) WHERE payment_id > $1 AND payment_id <= $2 AND \(condition)
                    ORDER BY payment_id, \(order)
                    """, [.text(cursor), .text(last)])
                return try Dictionary(grouping: found) { try $0.text("payment_id") }
            }
            let ledger = try rowsOfPage("ledger_entry", "1 = 1", by: "transaction_id, account")
            let refunds = try rowsOfPage("refund", "state <> 'refused'", by: "id")
            let outbox = try rowsOfPage("outbox", "1 = 1", by: "kind, message_key")
            return AuditPage(
                entries: try rows.map { row in
                    let id = try row.text("id")
                    return AuditPage.Entry(
                        id: id, members: try Self.paymentMembers(row),
                        ledger: try ledger[id, default: []].map(Self.ledgerDocument),
                        refunds: try refunds[id, default: []].map(Self.refundDocument),
                        outbox: try outbox[id, default: []].map(Self.outboxDocument))
                })
        }
    }

    /// What is still to be done: for whoever looks every second, so only what is open is counted, by its own indexes.
    func backlog() async throws -> BacklogAnswer {
        try await database.read { connection in
            func count(_ table: String, _ condition: String) throws -> Int64 {
                let rows = try connection.query("SELECT COUNT(*) AS open FROM \(table) WHERE \(condition)", [])
                return try rows.first?.integer("open") ?? 0
            }
            return BacklogAnswer(
                pendingPayments: try count("payment", "status IN ('pending', 'processing')"),
                pendingRefunds: try count("refund", "state = 'pending'"),
                outbox: try count("outbox", "state = 'waiting'"))
        }
    }

    /// Which of these ids belong to no payment, by one query.
    func unknown(among ids: [String]) async throws -> Set<String> {
        guard !ids.isEmpty else { return [] }
        let list = SQLValue.placeholders(ids.count)
        let known = try await database.read { connection in
            try connection.query("SELECT id FROM payment WHERE id IN (\(list))", ids.map(SQLValue.text))
                .map { try $0.text("id") }
        }
        return Set(ids).subtracting(known)
    }

    private static func paymentMembers(_ row: SQLRow) throws -> [String: JSONValue] {
        [
            "payment_id": .string(try row.text("id")), "status": .string(try row.text("status")),
            "amount_minor": .integer(try row.integer("amount_minor")), "currency": .string(try row.text("currency")),
            "refunded_minor": .integer(try row.integer("refunded_minor")),
            "idempotency_key": .optional(try row.optionalText("idempotency_key")),
            "decline_code": .optional(try row.optionalText("decline_code")),
            "created_at": try timestamp(row, "created_at"), "updated_at": try timestamp(row, "updated_at"),
        ]
    }

    private static func timestamp(_ row: SQLRow, _ column: String) throws -> JSONValue {
        .decimal(UnixTime(milliseconds: try row.integer(column)).decimalSeconds)
    }

    private static func ledgerDocument(_ row: SQLRow) throws -> JSONValue {
        .object([
            "transaction_id": .string(try row.text("transaction_id")), "kind": .string(try row.text("kind")),
            "account": .string(try row.text("account")), "amount_minor": .integer(try row.integer("amount_minor")),
            "currency": .string(try row.text("currency")),
        ])
    }

    private static func refundDocument(_ row: SQLRow) throws -> JSONValue {
        .object([
            "refund_id": .string(try row.text("id")), "amount_minor": .integer(try row.integer("amount_minor")),
            "state": .string(try row.text("state")), "created_at": try timestamp(row, "created_at"),
        ])
    }

    private static func outboxDocument(_ row: SQLRow) throws -> JSONValue {
        .object([
            "kind": .string(try row.text("kind")), "key": .string(try row.text("message_key")),
            "state": .string(try row.text("state")),
        ])
    }
}

extension JSONValue {
    /// The text, or null.
    static func optional(_ text: String?) -> JSONValue { text.map(JSONValue.string) ?? .null }
}
