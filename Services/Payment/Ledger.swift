import Shared

/// The double-entry ledger: what is owed to us stands against what was sold.
///
/// ```
///   capture of 19.99:  gateway_receivable +1999   sales -1999
///   refund of 5.00:    gateway_receivable  -500   sales  +500
/// ```
///
/// A transaction sums to zero because one statement writes both of its sides from one number; the key of the table
/// lets nobody add a third.
extension PaymentStore {
    /// The payment's own id names its capture: there is one.
    static func capture(_ payment: Payment, at now: UnixTime, on connection: any SQLConnection) throws {
        try enter(
            payment.id, "capture", payment.amount.minorUnits, of: payment, at: now, on: connection)
    }

    static func enter(
        _ refund: Refund, of payment: Payment, at now: UnixTime, on connection: any SQLConnection
    ) throws {
        try enter(refund.id, "refund", -refund.amount.minorUnits, of: payment, at: now, on: connection)
    }

    private static func enter(
        _ transactionID: String, _ kind: String, _ minorUnits: Int64, of payment: Payment, at now: UnixTime,
        on connection: any SQLConnection
    ) throws {
        try connection.execute(
            """
            INSERT INTO ledger_entry (transaction_id, payment_id, kind, account, amount_minor, currency, created_at)
            VALUES ($1, $2, $3, 'gateway_receivable', $4, $5, $6), ($1, $2, $3, 'sales', -$4, $5, $6)
            """,
            [
                .text(transactionID), .text(payment.id), .text(kind), .integer(minorUnits),
                .text(payment.amount.currency.code), .integer(now.milliseconds),
            ])
    }
}
