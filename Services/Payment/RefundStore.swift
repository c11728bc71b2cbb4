import Shared

/// What came of a wish for a refund.
enum RefundOutcome: Sendable, Equatable {
    case refunded(Refund, isReplay: Bool)
    case unknownPayment
    case notRefundable(Payment.Status)
    case moreThanIsLeft(Money)
    case keyIsTaken
    /// The key's refund has no end yet.
    case running(refundID: String)
    /// The gateway's books do not have that much left of the charge.
    case refusedByGateway
}

/// What came of a wish to begin a refund.
enum BeginRefundOutcome: Sendable, Equatable {
    case begun(Refund)
    case ended(RefundOutcome)
}

/// Refunds, each begun in one transaction and ended in another: the gateway is asked between them, and asked again by
/// whoever claims a refund that nobody ended.
///
/// ```
///   begin: pending, its amount is set aside --> gateway --given----> done, payment, ledger
///                                                       --refused--> refused, the amount is free again
/// ```
extension PaymentStore {
    /// Sets aside `amount`, or what is left where it is nil.
    func beginRefund(_ paymentID: String, amount: Money?, key: IdempotencyKey?) async throws -> BeginRefundOutcome {
        let id = Identifier.make(prefix: "REF")
        let now = clock()
        return try await database.write { connection in
            // Locked before anything is looked up: of two requests with one key the second must see the first's refund.
            let payment = try Self.lockedPayment(paymentID, on: connection)
            if let key, let earlier = try Self.earlierRefund(of: key, at: now, on: connection) {
                return .ended(earlier)
            }
            guard let payment else { return .ended(.unknownPayment) }
            guard payment.isRefundable else { return .ended(.notRefundable(payment.status)) }
            let left = try Self.left(of: payment, on: connection)
            let refund = Refund(id: id, paymentID: paymentID, amount: amount ?? left, createdAt: now)
            guard (1...max(1, left.minorUnits)).contains(refund.amount.minorUnits), left.minorUnits > 0 else {
                return .ended(.moreThanIsLeft(left))
            }
            try insert(refund, key, on: connection)
            let begun = PaymentEvent(name: "refund", detail: "\(id) begun: \(refund.amount.text)")
            try append([begun], to: paymentID, at: now, on: connection)
            return .begun(refund)
        }
    }

    /// Ends a refund that the gateway has given or refused, once.
    func endRefund(_ refund: Refund, isGiven: Bool) async throws -> RefundOutcome {
        let now = clock()
        return try await database.write { connection in
            let payment = try Self.lockedPayment(refund.paymentID, on: connection)
            let state = isGiven ? "done" : "refused"
            let isFirst = try connection.execute(
                "UPDATE refund SET state = $2, owner = NULL WHERE id = $1 AND state = 'pending'",
                [.text(refund.id), .text(state)])
            let outcome = isGiven ? RefundOutcome.refunded(refund, isReplay: false) : .refusedByGateway
            guard isFirst == 1 else { return outcome }
            var events = [PaymentEvent(name: "refund", detail: "\(refund.id) \(state)")]
            if isGiven {
                guard var payment, payment.event(.refunded(minorUnits: refund.amount.minorUnits)) == .save
                else { throw StoreError.failed("payment \(refund.paymentID) does not take refund \(refund.id)") }
                try Self.save(payment, at: now, on: connection)
                try Self.enter(refund, of: payment, at: now, on: connection)
                events.append(.status(payment.status))
            }
            try append(events, to: refund.paymentID, at: now, on: connection)
            return outcome
        }
    }

    /// Takes over refunds that nobody ends.
    func claimRefunds(limit: Int) async throws -> [Refund] {
        let now = clock()
        let isIdle = try await database.read { connection in
            try connection.query(
                "SELECT id FROM refund WHERE state = 'pending' AND lease_until <= $1 LIMIT 1",
                [.integer(now.milliseconds)]
            ).isEmpty
        }
        guard !isIdle else { return [] }
        return try await database.write { connection in
            try connection.query(
                """
                UPDATE refund SET owner = $1, lease_until = $2, attempts = attempts + 1
                WHERE state = 'pending' AND lease_until <= $3 AND id IN (
                    SELECT id FROM refund WHERE state = 'pending' AND lease_until <= $3 ORDER BY lease_until LIMIT $4)
                RETURNING *, (SELECT currency FROM payment WHERE payment.id = payment_id) AS currency
                """,
                [
                    .text(owner), .integer(now.milliseconds + leaseDuration.wholeMilliseconds),
                    .integer(now.milliseconds), .integer(limit),
                ]
            ).map(Refund.init)
        }
    }

    /// What is neither refunded nor set aside.
    private static func left(of payment: Payment, on connection: any SQLConnection) throws -> Money {
        let pending = try connection.query(
            "SELECT amount_minor FROM refund WHERE payment_id = $1 AND state = 'pending'", [.text(payment.id)]
        ).reduce(0) { try $0 + $1.integer("amount_minor") }
        return Money(minorUnits: payment.refundable.minorUnits - pending, currency: payment.amount.currency)
    }

    private func insert(_ refund: Refund, _ key: IdempotencyKey?, on connection: any SQLConnection) throws {
        let leaseUntil = refund.createdAt.milliseconds + leaseDuration.wholeMilliseconds
        try connection.execute(
            """
            INSERT INTO refund (id, payment_id, amount_minor, idempotency_key, idempotency_text, created_at, state,
                owner, lease_until, attempts)
            VALUES ($1, $2, $3, $4, $5, $6, 'pending', $7, $8, 1)
            """,
            [
                .text(refund.id), .text(refund.paymentID), .integer(refund.amount.minorUnits), .optional(key?.name),
                .optional(key?.requestText), .integer(refund.createdAt.milliseconds), .text(owner),
                .integer(leaseUntil),
            ])
    }

    /// What came of an earlier refund with this key, or nil when the key is free.
    private static func earlierRefund(
        of key: IdempotencyKey, at now: UnixTime, on connection: any SQLConnection
    ) throws -> RefundOutcome? {
        try forgetIfOld(key, in: "refund", at: now, on: connection)
        let rows = try connection.query(
            """
            SELECT r.*, p.currency FROM refund r JOIN payment p ON p.id = r.payment_id WHERE r.idempotency_key = $1
            """, [.text(key.name)])
        guard let row = rows.first else { return nil }
        guard try row.text("idempotency_text") == key.requestText else { return .keyIsTaken }
        switch try row.text("state") {
        case "done": return .refunded(try Refund(row), isReplay: true)
        case "refused": return .refusedByGateway
        default: return .running(refundID: try row.text("id"))
        }
    }
}

extension Refund {
    fileprivate init(_ row: SQLRow) throws {
        guard let currency = Currency(code: try row.text("currency")) else {
            throw StoreError.unexpectedValue(column: "currency")
        }
        self.init(
            id: try row.text("id"), paymentID: try row.text("payment_id"),
            amount: Money(minorUnits: try row.integer("amount_minor"), currency: currency),
            createdAt: UnixTime(milliseconds: try row.integer("created_at")))
    }
}
