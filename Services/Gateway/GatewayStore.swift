import Shared

/// The gateway's books. Every method is one transaction.
///
/// ```
///   payment id --record--> approved | declined    (the first to write decides; everyone gets what is written)
///              --close---> the same, or closed    (no charge can follow)
///   refund id  --refund--> approved charge, less what was refunded
/// ```
struct GatewayStore: Sendable {
    let database: any Database

    /// `UNIQUE (payment_id)` is the promise that a payment is charged at most once; a closed payment has a row of its
    /// own for the same reason.
    static let migrations = [
        Migration(
            "v1 charges and refunds",
            """
            CREATE TABLE charge (
                id TEXT PRIMARY KEY NOT NULL,
                payment_id TEXT NOT NULL UNIQUE,
                idempotency_key TEXT,
                amount_minor BIGINT NOT NULL,
                currency TEXT NOT NULL,
                state TEXT NOT NULL CHECK (state IN ('approved', 'declined', 'closed')),
                decline_code TEXT,
                scenario TEXT,
                refunded_minor BIGINT NOT NULL DEFAULT 0,
                created_at BIGINT NOT NULL,
                CHECK ((state = 'declined') = (decline_code IS NOT NULL)),
                CHECK (CASE state WHEN 'closed' THEN amount_minor = 0 ELSE amount_minor > 0 END),
                CHECK (refunded_minor BETWEEN 0 AND CASE state WHEN 'approved' THEN amount_minor ELSE 0 END)
            );
            CREATE TABLE refund (
                id TEXT PRIMARY KEY NOT NULL,
                payment_id TEXT NOT NULL REFERENCES charge (payment_id),
                amount_minor BIGINT NOT NULL CHECK (amount_minor > 0),
                created_at BIGINT NOT NULL
            );
            """)
    ]

    /// Writes a charge into the books, unless its payment stands there already.
    ///
    /// - Returns: what stands there now; nil when the payment is closed.
    func record(_ charge: GatewayCharge) async throws -> GatewayCharge? {
        let now = UnixTime.now
        return try await database.write { connection in
            let (state, code) = charge.state.columns
            try Self.insert(
                charge.id, payment: charge.paymentID, state, at: now, on: connection,
                [
                    .optional(charge.idempotencyKey), .integer(charge.amount.minorUnits),
                    .text(charge.amount.currency.code), .optional(code), .optional(charge.scenario?.rawValue),
                ])
            return try Self.charge(of: charge.paymentID, on: connection)
        }
    }

    /// The payment's charge; a payment without one gets none any more.
    func close(_ paymentID: String) async throws -> GatewayCharge? {
        let id = Identifier.make(prefix: "CHG")
        let now = UnixTime.now
        return try await database.write { connection in
            try Self.insert(
                id, payment: paymentID, "closed", at: now, on: connection,
                [.null, .integer(0), .text(""), .null, .null])
            return try Self.charge(of: paymentID, on: connection)
        }
    }

    func refund(_ refundID: String, of paymentID: String, amount: Money) async throws -> Bool {
        let now = UnixTime.now
        return try await database.write { connection in
            // Two who ask for one refund wait for each other here, and the second finds what the first was given.
            _ = try connection.query("SELECT id FROM charge WHERE payment_id = $1 FOR UPDATE", [.text(paymentID)])
            guard try connection.query("SELECT id FROM refund WHERE id = $1", [.text(refundID)]).isEmpty else {
                return true
            }
            let changed = try connection.execute(
                """
                UPDATE charge SET refunded_minor = refunded_minor + $2
                WHERE payment_id = $1 AND state = 'approved' AND currency = $3 AND refunded_minor + $2 <= amount_minor
                """, [.text(paymentID), .integer(amount.minorUnits), .text(amount.currency.code)])
            guard changed == 1 else { return false }
            try connection.execute(
                "INSERT INTO refund (id, payment_id, amount_minor, created_at) VALUES ($1, $2, $3, $4)",
                [.text(refundID), .text(paymentID), .integer(amount.minorUnits), .integer(now.milliseconds)])
            return true
        }
    }

    func charges(ofPayments paymentIDs: [String]) async throws -> [GatewayCharge] {
        guard !paymentIDs.isEmpty else { return [] }
        let list = SQLValue.placeholders(paymentIDs.count)
        return try await database.read { connection in
            try connection.query(
                "SELECT * FROM charge WHERE payment_id IN (\(list)) AND state <> 'closed' ORDER BY payment_id",
                paymentIDs.map(SQLValue.text)
            ).map(GatewayCharge.init)
        }
    }

    func charges(afterPayment paymentID: String, limit: Int) async throws -> [GatewayCharge] {
        try await database.read { connection in
            try connection.query(
                "SELECT * FROM charge WHERE payment_id > $1 AND state <> 'closed' ORDER BY payment_id LIMIT $2",
                [.text(paymentID), .integer(limit)]
            ).map(GatewayCharge.init)
        }
    }

    private static func insert(
        _ id: String, payment: String, _ state: String, at now: UnixTime, on connection: any SQLConnection,
        _ columns: [SQLValue]
    ) throws {
        try connection.execute(
            """
            INSERT INTO charge (id, payment_id, state, created_at, idempotency_key, amount_minor, currency,
                decline_code, scenario)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (payment_id) DO NOTHING
            """, [.text(id), .text(payment), .text(state), .integer(now.milliseconds)] + columns)
    }

    private static func charge(of paymentID: String, on connection: any SQLConnection) throws -> GatewayCharge? {
        try connection.query(
            "SELECT * FROM charge WHERE payment_id = $1 AND state <> 'closed'", [.text(paymentID)]
        ).first.map(GatewayCharge.init)
    }
}

extension GatewayCharge {
    fileprivate init(_ row: SQLRow) throws {
        guard let currency = Currency(code: try row.text("currency")) else {
            throw StoreError.unexpectedValue(column: "currency")
        }
        let code = try row.optionalText("decline_code")
        let state = code.map { DeclineCode(rawValue: $0).map(State.declined) } ?? .approved
        guard let state else { throw StoreError.unexpectedValue(column: "decline_code") }
        self.init(
            id: try row.text("id"), paymentID: try row.text("payment_id"),
            idempotencyKey: try row.optionalText("idempotency_key"),
            amount: Money(minorUnits: try row.integer("amount_minor"), currency: currency), state: state,
            scenario: try row.optionalText("scenario").flatMap(FailureScenario.init(rawValue:)),
            refundedMinorUnits: try row.integer("refunded_minor"))
    }
}

extension GatewayCharge.State {
    fileprivate var columns: (state: String, declineCode: String?) {
        switch self {
        case .approved: ("approved", nil)
        case .declined(let code): ("declined", code.rawValue)
        }
    }
}
