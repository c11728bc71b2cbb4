import Shared

/// `POST /send`: `{message="", type="info", recipient="system", notification_key?}`.
struct SendRequest: Decodable, Sendable {
    let message: String
    let type: String
    let recipient: String
    let key: String?

    init(from decoder: any Decoder) throws {
        let fields = try FieldReader(decoder)
        let message = fields.text("message", default: "", maxLength: 4096, allowEmpty: true)
        let type = fields.text("type", default: "info", maxLength: 64)
        let recipient = fields.text("recipient", default: "system", maxLength: 255)
        let key = fields.optionalText("notification_key", maxLength: 64)
        (self.message, self.type, self.recipient, self.key) = try fields.require(message, type, recipient, key)
    }
}

struct NotificationAnswer: Encodable {
    let id: String
    let message: String
    let type: String
    let recipient: String
    let status = "sent"
    let timestamp: UnixTime

    init(_ notification: Notification) {
        id = notification.id
        message = notification.message
        type = notification.type
        recipient = notification.recipient
        timestamp = notification.sentAt
    }
}

struct HistoryAnswer: Encodable {
    let notifications: [NotificationAnswer]
    let totalCount: Int
    /// What to pass as `before` for the page before this one; absent when this is the first.
    let before: Int64?
    let timestamp = UnixTime.now

    init(page: [Notification], totalCount: Int) {
        notifications = page.map(NotificationAnswer.init)
        self.totalCount = totalCount
        before = page.first.flatMap { $0.place > 1 ? $0.place : nil }
    }

    enum CodingKeys: String, CodingKey {
        case notifications, before, timestamp
        case totalCount = "total_count"
    }
}
