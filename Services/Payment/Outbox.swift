import Shared

/// Something that must be said to another service because of a payment, once the payment's state is durable.
struct OutboxMessage: Sendable, Equatable {
    enum Content: Sendable, Equatable {
        /// The reserved stock is sold. Where the reservation has expired and nothing is left, inventory refuses until
        /// goods are delivered: then this waiting message is the back order.
        case confirm
        /// The reserved stock goes back.
        case release
        case notification(String)
    }

    let content: Content
    let paymentID: String
    let recipient: String?
    /// From 1: this attempt counts.
    let attempts: Int
}

extension OutboxMessage.Content {
    /// In the store and in a payment's history.
    var kind: String {
        switch self {
        case .confirm: "confirm"
        case .release: "release"
        case .notification: "notification"
        }
    }

    fileprivate var text: String? {
        if case .notification(let text) = self { return text }
        return nil
    }
}

/// What came of one attempt to deliver.
struct DeliveryAttempt: Sendable {
    let message: OutboxMessage
    let isDelivered: Bool
    let event: PaymentEvent
}

/// The outbox: written in the transaction that makes a message true, and emptied by whoever claims it.
///
/// ```
///   settle --> waiting, leased to who settled --delivered--> done
///                  ^                    '--lease over, or failed: after a pause--.
///                  '---------------------- claim, by a worker of any replica <---'
/// ```
extension PaymentStore {
    /// Failed attempts that stand in a payment's history; the outbox itself never gives up.
    private static let recordedFailures = 10

    /// Writes messages that this process is about to deliver. The payment's id is their key: each is said once.
    func enqueue(
        _ contents: [OutboxMessage.Content], of id: String, at now: UnixTime, on connection: any SQLConnection
    ) throws -> [OutboxMessage] {
        for content in contents {
            try connection.execute(
                """
                INSERT INTO outbox (kind, message_key, payment_id, message, recipient, owner, lease_until, attempts)
                SELECT $2, id, id, $3, recipient, $4, $5, 1 FROM payment WHERE id = $1
                """,
                [
                    .text(id), .text(content.kind), .optional(content.text), .text(owner),
                    .integer(now.milliseconds + deliveryLease.wholeMilliseconds),
                ])
        }
        return try connection.query("SELECT * FROM outbox WHERE payment_id = $1", [.text(id)]).map(OutboxMessage.init)
    }

    /// Takes messages that nobody delivers.
    func claimMessages(limit: Int) async throws -> [OutboxMessage] {
        let now = clock()
        let isIdle = try await database.read { connection in
            try connection.query(
                "SELECT kind FROM outbox WHERE state = 'waiting' AND lease_until <= $1 LIMIT 1",
                [.integer(now.milliseconds)]
            ).isEmpty
        }
        guard !isIdle else { return [] }
        return try await database.write { connection in
            try connection.query(
                """
                UPDATE outbox SET owner = $1, lease_until = $2, attempts = attempts + 1
                WHERE state = 'waiting' AND lease_until <= $3 AND (kind, message_key) IN (
                    SELECT kind, message_key FROM outbox WHERE state = 'waiting' AND lease_until <= $3
                    ORDER BY lease_until LIMIT $4)
                RETURNING *
                """,
                [
                    .text(owner), .integer(now.milliseconds + deliveryLease.wholeMilliseconds),
                    .integer(now.milliseconds), .integer(limit),
                ]
            ).map(OutboxMessage.init)
        }
    }

    /// Notes what came of the attempts.
    ///
    /// - Parameter answer: replaces the stored answer of the payment, which knew nothing of the deliveries yet.
    func record(_ attempts: [DeliveryAttempt], answer: Answer? = nil) async throws {
        let now = clock()
        // In one order, so that no two that lock several payments wait for each other.
        let ordered = attempts.sorted { $0.message.paymentID < $1.message.paymentID }
        try await database.write { connection in
            for attempt in ordered {
                let message = attempt.message
                _ = try Self.lockedPayment(message.paymentID, on: connection)
                let pause = BackOff.delay(attempts: message.attempts).wholeMilliseconds
                try connection.execute(
                    """
                    UPDATE outbox SET owner = NULL, state = $4, lease_until = $5
                    WHERE kind = $1 AND message_key = $2 AND owner = $3 AND state = 'waiting'
                    """,
                    [
                        .text(message.content.kind), .text(message.paymentID), .text(owner),
                        .text(attempt.isDelivered ? "done" : "waiting"), .integer(now.milliseconds + pause),
                    ])
                guard attempt.isDelivered || message.attempts <= Self.recordedFailures else { continue }
                try append([attempt.event], to: message.paymentID, at: now, on: connection)
            }
            guard let answer, let id = attempts.first?.message.paymentID else { return }
            try connection.execute(
                "UPDATE payment SET answer_status = $2, answer_body = $3 WHERE id = $1",
                [.text(id), .integer(answer.status), .text(answer.body)])
        }
    }
}

extension OutboxMessage {
    fileprivate init(_ row: SQLRow) throws {
        let content: Content
        switch try row.text("kind") {
        case "confirm": content = .confirm
        case "release": content = .release
        case "notification": content = .notification(try row.text("message"))
        default: throw StoreError.unexpectedValue(column: "kind")
        }
        self.init(
            content: content, paymentID: try row.text("payment_id"), recipient: try row.optionalText("recipient"),
            attempts: try row.int("attempts"))
    }
}
