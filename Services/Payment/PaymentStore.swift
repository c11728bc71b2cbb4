import Shared

/// The payments and their refunds. Every method is one transaction.
///
/// ```
///   begin --> processing --finish--> completed | declined | failed --refund--> ...
///     '--> or what an earlier request with the same Idempotency-Key came to
/// ```
///
/// Neither a card number nor anything from which one could be computed is ever given to it.
struct PaymentStore: Sendable {
    let database: any Database

    /// How long an Idempotency-Key is remembered.
    static let keyLifetimeSeconds = 24 * 3600

    /// The invariants are the schema's: no bug in the code above it can refund more than was paid, or pay twice
    /// for one key.
    static let migrations = [
        Migration(
            "v1 payments and refunds",
            """
            CREATE TABLE payment (
                id TEXT PRIMARY KEY NOT NULL,
                status TEXT NOT NULL CHECK (status IN ('pending', 'processing', 'completed', 'declined', 'failed',
                    'refunded', 'partially_refunded')),
                amount_minor BIGINT NOT NULL CHECK (amount_minor > 0),
                currency TEXT NOT NULL,
                refunded_minor BIGINT NOT NULL DEFAULT 0,
                product_id TEXT NOT NULL,
                quantity BIGINT NOT NULL CHECK (quantity > 0),
                card_last_four TEXT NOT NULL CHECK (length(card_last_four) = 4),
                card_brand TEXT NOT NULL,
                recipient TEXT,
                decline_code TEXT,
                scenario TEXT,
                idempotency_key TEXT UNIQUE,
                idempotency_text TEXT,
                answer_status BIGINT,
                answer_body TEXT,
                created_at BIGINT NOT NULL,
                updated_at BIGINT NOT NULL,
                CHECK (refunded_minor BETWEEN 0 AND amount_minor),
                CHECK (refunded_minor = 0 OR status IN ('refunded', 'partially_refunded')),
                CHECK (status <> 'refunded' OR refunded_minor = amount_minor),
                CHECK ((status = 'declined') = (decline_code IS NOT NULL)),
                CHECK ((answer_status IS NULL) = (answer_body IS NULL))
            );
            CREATE TABLE refund (
                id TEXT PRIMARY KEY NOT NULL,
                payment_id TEXT NOT NULL REFERENCES payment (id),
                amount_minor BIGINT NOT NULL CHECK (amount_minor > 0),
                idempotency_key TEXT UNIQUE,
                idempotency_text TEXT,
                created_at BIGINT NOT NULL
            );
            CREATE INDEX refund_payment ON refund (payment_id);
            """)
    ]

    /// Stores a new payment as `processing`, unless its Idempotency-Key was seen before.
    func begin(_ order: PaymentOrder, id: String, key: IdempotencyKey?) async throws -> BeginOutcome {
        let now = UnixTime.now
        let payment = Payment(id: id, amount: order.amount)
        return try await database.write { connection in
            if let key, let earlier = try Self.earlierOutcome(of: key, at: now, on: connection) { return earlier }
            try Self.insert(payment, order, key, at: now, on: connection)
            return .begun
        }
    }

    /// Moves a payment to where it ends, together with the answer that its caller gets.
    ///
    /// - Parameters:
    ///   - scenario: the failure mode that caused it, if one did.
    ///   - answer: nil where the answer is not known yet; ``remember(_:of:)`` adds it.
    func finish(
        _ id: String, _ event: Payment.Event, scenario: String? = nil, answer: Answer?
    ) async throws {
        let now = UnixTime.now
        try await database.write { connection in
            guard var payment = try Self.payment(id, on: connection)?.payment, payment.event(event) == .save else {
                throw StoreError.failed("payment \(id) does not take the event \(event)")
            }
            try Self.save(payment, at: now, on: connection)
            try connection.execute(
                "UPDATE payment SET scenario = $2, answer_status = $3, answer_body = $4 WHERE id = $1",
                [
                    .text(id), .optional(scenario), .optional(answer.map { Int64($0.status) }),
                    .optional(answer?.body),
                ])
        }
    }

    /// Keeps the answer for whoever asks again with the same Idempotency-Key.
    func remember(_ answer: Answer, of id: String) async throws {
        _ = try await database.write { connection in
            try connection.execute(
                "UPDATE payment SET answer_status = $2, answer_body = $3 WHERE id = $1",
                [.text(id), .integer(answer.status), .text(answer.body)])
        }
    }

    /// A payment and when it last changed, or nil when there is none.
    func payment(_ id: String) async throws -> (payment: Payment, updatedAt: UnixTime)? {
        try await database.read { try Self.payment(id, on: $0) }
    }

    /// Gives money back: `amount`, or what is left where it is nil.
    func refund(_ paymentID: String, amount: Money?, key: IdempotencyKey?) async throws -> RefundOutcome {
        let id = Identifier.make(prefix: "REF")
        let now = UnixTime.now
        return try await database.write { connection in
            if let key, let earlier = try Self.earlierRefund(of: key, at: now, on: connection) { return earlier }
            guard var payment = try Self.payment(paymentID, on: connection)?.payment else { return .unknownPayment }
            guard payment.isRefundable else { return .notRefundable(payment.status) }
            let left = payment.refundable
            let refund = Refund(id: id, paymentID: paymentID, amount: amount ?? left, createdAt: now)
            guard payment.event(.refunded(minorUnits: refund.amount.minorUnits)) == .save else {
                return .moreThanIsLeft(left)
            }
            try Self.save(payment, at: now, on: connection)
            try Self.insert(refund, key, on: connection)
            return .refunded(refund, isReplay: false)
        }
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

/// What came of a wish for a refund.
enum RefundOutcome: Sendable, Equatable {
    case refunded(Refund, isReplay: Bool)
    case unknownPayment
    case notRefundable(Payment.Status)
    case moreThanIsLeft(Money)
    case keyIsTaken
}
