import Hummingbird
import Shared

/// `GET /audit?after=&limit=`: every notification ever sent, for whoever checks the books.
///
/// Pages are in the order of the notifications' places, which never change, so nothing that existed when the first page
/// was asked for is missed or told twice, whatever is sent meanwhile.
struct NotificationAudit: Encodable, Sendable, Equatable {
    struct Entry: Encodable, Sendable, Equatable {
        let id: String
        /// The sender's name for it; nil when it gave none.
        let key: String?

        enum CodingKeys: String, CodingKey {
            case id, key
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(id, forKey: .id)
            try container.encode(key, forKey: .key)
        }
    }

    let notifications: [Entry]
    /// What to pass as `after` for the next page; nil on the last.
    let next: String?

    enum CodingKeys: String, CodingKey {
        case notifications, next
    }

    /// Written by hand for its null: a reader tells the end from a page that was cut off.
    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(notifications, forKey: .notifications)
        try container.encode(next, forKey: .next)
    }
}

extension NotificationController {
    @Sendable func audit(_ request: Request, _ context: AppContext) async throws -> Response {
        let limit = try request.queryInteger("limit", in: 1...500, default: 200)
        let after = try request.queryInteger("after", in: 0...Int.max, default: 0)
        return try .json(try await store.audit(after: Int64(after), limit: limit))
    }
}

extension NotificationStore {
    /// One page of the books: `limit` notifications after a place, 0 for the first page.
    func audit(after place: Int64, limit: Int) async throws -> NotificationAudit {
        try await database.read { connection in
            let rows = try connection.query(
                "SELECT place, id, notification_key FROM notification WHERE place > $1 ORDER BY place LIMIT $2",
                [.integer(place), .integer(limit + 1)])
            let page = rows.prefix(limit)
            return NotificationAudit(
                notifications: try page.map {
                    .init(id: try $0.text("id"), key: try $0.optionalText("notification_key"))
                },
                next: rows.count > limit ? try page.last.map { String(try $0.integer("place")) } : nil)
        }
    }
}
