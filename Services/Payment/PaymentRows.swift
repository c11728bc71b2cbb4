import Gateway
import Shared

/// The steps of which the store's transactions are made.
extension PaymentStore {
    static func payment(
        _ id: String, on connection: any SQLConnection
    ) throws -> (payment: Payment, updatedAt: UnixTime)? {
        guard let row = try connection.query("SELECT * FROM payment WHERE id = $1", [.text(id)]).first else {
            return nil
        }
        return (try Payment(row), UnixTime(milliseconds: try row.integer("updated_at")))
    }

    /// A payment that nobody else changes before this transaction ends, nor its refunds, its history or its ledger:
    /// whoever does locks its payment first.
    static func lockedPayment(_ id: String, on connection: any SQLConnection) throws -> Payment? {
        try connection.query("SELECT * FROM payment WHERE id = $1 FOR UPDATE", [.text(id)]).first.map(Payment.init)
    }

    static func insert(
        _ payment: Payment, _ order: PaymentOrder, _ key: IdempotencyKey?, at now: UnixTime,
        on connection: any SQLConnection
    ) throws {
        try connection.execute(
            """
            INSERT INTO payment (id, status, amount_minor, currency, product_id, quantity, card_last_four, card_brand,
                recipient, idempotency_key, idempotency_text, created_at, updated_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12)
            """,
            [
                .text(payment.id), .text(payment.status.rawValue), .integer(payment.amount.minorUnits),
                .text(payment.amount.currency.code), .text(order.productID), .integer(order.quantity),
                .text(order.instrument.lastFour), .text(order.instrument.brand.rawValue), .optional(order.recipient),
                .optional(key?.name), .optional(key?.requestText), .integer(now.milliseconds),
            ])
    }

    static func save(_ payment: Payment, at now: UnixTime, on connection: any SQLConnection) throws {
        try connection.execute(
            """
            UPDATE payment SET status = $2, decline_code = $3, refunded_minor = $4, updated_at = $5 WHERE id = $1
            """,
            [
                .text(payment.id), .text(payment.status.rawValue), .optional(payment.declineCode?.rawValue),
                .integer(payment.refundedMinorUnits), .integer(now.milliseconds),
            ])
    }

    /// What an earlier payment with this key came to, or nil when the key is free.
    static func earlierOutcome(
        of key: IdempotencyKey, at now: UnixTime, on connection: any SQLConnection
    ) throws -> BeginOutcome? {
        try forgetIfOld(key, in: "payment", at: now, on: connection)
        let rows = try connection.query("SELECT * FROM payment WHERE idempotency_key = $1", [.text(key.name)])
        guard let row = rows.first else { return nil }
        guard try row.text("idempotency_text") == key.requestText else { return .keyIsTaken }
        guard let answer = try Answer(row) else { return .running(paymentID: try row.text("id")) }
        return .answered(answer)
    }

    static func forgetIfOld(
        _ key: IdempotencyKey, in table: String, at now: UnixTime, on connection: any SQLConnection
    ) throws {
        let oldest = now.advanced(bySeconds: -keyLifetimeSeconds)
        try connection.execute(
            "UPDATE \(table) SET idempotency_key = NULL WHERE idempotency_key = $1 AND created_at < $2",
            [.text(key.name), .integer(oldest.milliseconds)])
    }
}

extension Payment {
    init(_ row: SQLRow) throws {
        guard let currency = Currency(code: try row.text("currency")) else {
            throw StoreError.unexpectedValue(column: "currency")
        }
        guard let status = Status(rawValue: try row.text("status")) else {
            throw StoreError.unexpectedValue(column: "status")
        }
        self.init(
            id: try row.text("id"), amount: Money(minorUnits: try row.integer("amount_minor"), currency: currency),
            status: status, declineCode: try row.optionalText("decline_code").flatMap(DeclineCode.init(rawValue:)),
            refundedMinorUnits: try row.integer("refunded_minor"))
    }
}

extension Answer {
    /// The answer in a payment's row, or nil while there is none.
    init?(_ row: SQLRow) throws {
        guard let status = try row.optionalInteger("answer_status"), let body = try row.optionalText("answer_body")
        else { return nil }
        self.init(status: Int(status), body: body)
    }
}
