import Shared

/// Every notification ever sent. Every method is one transaction.
///
/// ```
///   send --> counter + 1 --> the notification's place in the history
/// ```
///
/// The counter gives each notification its place and is their number at the same time: neither the order nor the
/// total ever needs a look at all rows, and replicas that send at once take turns at it.
struct NotificationStore: Sendable {
    let database: any Database

    static let migrations = [
        Migration(
            "v1 notifications",
            """
            CREATE TABLE counter (
                id BIGINT PRIMARY KEY NOT NULL CHECK (id = 1),
                sent BIGINT NOT NULL CHECK (sent >= 0)
            );
            INSERT INTO counter (id, sent) VALUES (1, 0);
            CREATE TABLE notification (
                place BIGINT PRIMARY KEY NOT NULL,
                id TEXT NOT NULL UNIQUE,
                notification_key TEXT UNIQUE,
                message TEXT NOT NULL,
                type TEXT NOT NULL,
                recipient TEXT NOT NULL,
                sent_at BIGINT NOT NULL
            );
            """)
    ]

    /// Sends once a key: the same key again is the same notification, whatever else the request says, so that a
    /// sender who heard no answer may repeat itself.
    func send(_ request: SendRequest) async throws -> Notification {
        let id = Identifier.make(prefix: "NOT")
        let now = UnixTime.now
        return try await database.write { connection in
            if let key = request.key, let earlier = try Self.notification("notification_key", key, on: connection) {
                return earlier
            }
            let counted = try connection.query("UPDATE counter SET sent = sent + 1 WHERE id = 1 RETURNING sent")
            guard let place = try counted.first?.integer("sent") else {
                throw StoreError.failed("the table counter has no row")
            }
            try connection.execute(
                """
                INSERT INTO notification (place, id, notification_key, message, type, recipient, sent_at)
                VALUES ($1, $2, $3, $4, $5, $6, $7)
                """,
                [
                    .integer(place), .text(id), .optional(request.key), .text(request.message), .text(request.type),
                    .text(request.recipient), .integer(now.milliseconds),
                ])
            return Notification(
                place: place, id: id, message: request.message, type: request.type, recipient: request.recipient,
                sentAt: now)
        }
    }

    /// The last `limit` notifications before a place, oldest first, and how many there are altogether.
    func history(limit: Int, before place: Int64) async throws -> (page: [Notification], total: Int) {
        try await database.read { connection in
            let page = try connection.query(
                "SELECT * FROM notification WHERE place < $1 ORDER BY place DESC LIMIT $2",
                [.integer(place), .integer(limit)])
            let total = try connection.query("SELECT sent FROM counter WHERE id = 1").first?.int("sent")
            return (try page.reversed().map(Notification.init), total ?? 0)
        }
    }

    func notification(id: String) async throws -> Notification? {
        try await database.read { try Self.notification("id", id, on: $0) }
    }

    private static func notification(
        _ column: String, _ value: String, on connection: any SQLConnection
    ) throws -> Notification? {
        try connection.query("SELECT * FROM notification WHERE \(column) = $1", [.text(value)])
            .first.map(Notification.init)
    }
}

/// A message that was sent to someone.
struct Notification: Sendable, Equatable {
    /// Its place in the history, from 1.
    let place: Int64
    let id: String
    let message: String
    let type: String
    let recipient: String
    let sentAt: UnixTime
}

extension Notification {
    init(_ row: SQLRow) throws {
        self.init(
            place: try row.integer("place"), id: try row.text("id"), message: try row.text("message"),
            type: try row.text("type"), recipient: try row.text("recipient"),
            sentAt: UnixTime(milliseconds: try row.integer("sent_at")))
    }
}
