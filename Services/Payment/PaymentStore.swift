import Shared

/// The payments, their refunds, and the work that they leave to do. Every method is one transaction.
///
/// ```
///   begin --> pending --startCharge--> processing --settle--> completed | declined | failed --refund--> ...
///     |          |                        |           '--> outbox: confirm, notification | release
///     |          '------ a lease of the owner's, which is renewed or ends: then somebody else may claim it
///     '--> or what an earlier request with the same Idempotency-Key came to
/// ```
///
/// Neither a card number nor anything from which one could be computed is ever given to it.
struct PaymentStore: Sendable {
    let database: any Database
    /// Whose work it is that this process has claimed; no two processes ever have the same.
    let owner: String
    /// For the history of a payment.
    let replica: String
    /// How long a message that is being delivered belongs to who delivers it.
    let deliveryLease: Duration
    /// How long a payment or a refund belongs to who works on it, from the last sign of life.
    let leaseDuration: Duration
    /// The wall clock that the replicas share: it decides which lease has ended.
    let clock: @Sendable () -> UnixTime

    /// How long an Idempotency-Key is remembered.
    static let keyLifetimeSeconds = 24 * 3600

    /// Stores a new payment as `pending`, unless its Idempotency-Key was seen before. It is this process's own until
    /// its lease ends.
    func begin(_ order: PaymentOrder, id: String, key: IdempotencyKey?) async throws -> BeginOutcome {
        let now = clock()
        let payment = Payment(id: id, amount: order.amount)
        return try await database.write { connection in
            if let key, let earlier = try Self.earlierOutcome(of: key, at: now, on: connection) { return earlier }
            try Self.insert(payment, order, key, at: now, on: connection)
            try lease(id, at: now, on: connection)
            try append([.status(payment.status)], to: id, at: now, on: connection)
            return .begun
        }
    }

    /// Notes that stock is reserved and the gateway is asked next.
    ///
    /// - Returns: false when somebody else has settled the payment meanwhile: then nothing may be charged.
    func startCharge(_ id: String, _ stock: TakenStock, events: [PaymentEvent]) async throws -> Bool {
        let now = clock()
        return try await database.write { connection in
            guard var payment = try Self.lockedPayment(id, on: connection), payment.event(.charging) == .save else {
                return false
            }
            try Self.save(payment, at: now, on: connection)
            try connection.execute(
                "UPDATE payment SET reservation_id = $2, inventory_check = $3 WHERE id = $1",
                [.text(id), .text(stock.reservationID), .text(stock.checkText)])
            try append(events + [.status(payment.status)], to: id, at: now, on: connection)
            return true
        }
    }

    /// Moves a payment to where it ends, with its ledger entries, the answer that its caller gets, and what is still
    /// to be done, which this process may deliver until the delivery lease ends.
    ///
    /// - Returns: what is to be delivered; nil when somebody else has settled the payment already.
    func settle(_ id: String, _ settlement: Settlement) async throws -> [OutboxMessage]? {
        let now = clock()
        return try await database.write { connection in
            guard var payment = try Self.lockedPayment(id, on: connection), payment.event(settlement.event) == .save
            else { return nil }
            try Self.save(payment, at: now, on: connection)
            try connection.execute(
                """
                UPDATE payment SET scenario = COALESCE($2, scenario), answer_status = $3, answer_body = $4, owner = NULL
                WHERE id = $1
                """,
                [
                    .text(id), .optional(settlement.scenario), .integer(settlement.answer.status),
                    .text(settlement.answer.body),
                ])
            if payment.status == .completed { try Self.capture(payment, at: now, on: connection) }
            let status = PaymentEvent.status(payment.status, scenario: settlement.scenario)
            try append(settlement.events + [status], to: id, at: now, on: connection)
            return try enqueue(settlement.messages(for: payment), of: id, at: now, on: connection)
        }
    }

    /// Gives up a payment whose outcome is not known, for the reconciler to take over at once.
    func leaveOpen(_ id: String, scenario: String?, events: [PaymentEvent]) async throws {
        let now = clock()
        try await database.write { connection in
            guard try Self.lockedPayment(id, on: connection) != nil else { return }
            try connection.execute(
                """
                UPDATE payment SET owner = NULL, lease_until = $2, scenario = $3
                WHERE id = $1 AND status IN ('pending', 'processing')
                """, [.text(id), .integer(now.milliseconds), .optional(scenario)])
            try append(events, to: id, at: now, on: connection)
        }
    }

    /// A payment and when it last changed, or nil when there is none.
    func payment(_ id: String) async throws -> (payment: Payment, updatedAt: UnixTime)? {
        try await database.read { try Self.payment(id, on: $0) }
    }

    /// What the payment's caller gets, or nil while that is not known.
    func answer(of id: String) async throws -> Answer? {
        try await database.read { connection in
            try connection.query("SELECT * FROM payment WHERE id = $1", [.text(id)]).first.flatMap(Answer.init)
        }
    }
}

/// How a payment ends.
struct Settlement: Sendable {
    let event: Payment.Event
    /// The failure mode that had a part in it, if one did.
    let scenario: String?
    let answer: Answer
    /// Whether stock may be reserved for a payment that ends without money.
    let releasesStock: Bool
    let events: [PaymentEvent]

    fileprivate func messages(for payment: Payment) -> [OutboxMessage.Content] {
        guard payment.status == .completed else { return releasesStock ? [.release] : [] }
        let amount = payment.amount
        return [.confirm, .notification("Your payment of \(amount.text) \(amount.currency.code) was received.")]
    }
}

/// The name that a caller gives to a request so that repeating it does nothing twice.
struct IdempotencyKey: Sendable, Equatable {
    let name: String
    /// The request in one canonical text, which tells a repetition from another request under the same name. Of a
    /// card it has the brand and the last four digits alone.
    let requestText: String
}

/// What came of a wish to begin a payment.
enum BeginOutcome: Sendable, Equatable {
    case begun
    /// The key's payment has its answer.
    case answered(Answer)
    /// The key's payment has none yet.
    case running(paymentID: String)
    /// The key belongs to another request.
    case keyIsTaken
}
