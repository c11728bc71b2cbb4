import HTTPTypes
import Shared

/// The notification service as a payment needs it.
struct NotificationClient: Sendable {
    let downstream: Downstream

    /// - Parameters:
    ///   - recipient: nil for the service's default.
    ///   - key: sends once however often it is called; nil to send each time.
    /// - Throws: ``DownstreamError``.
    func send(_ message: String, recipient: String?, key: String?, timeout: Duration) async throws {
        var body: [String: JSONValue] = ["message": .string(message), "type": .string("payment")]
        body["recipient"] = recipient.map(JSONValue.string)
        body["notification_key"] = key.map(JSONValue.string)
        _ = try await downstream.call(.post, "/send", body: body, key: key, timeout: timeout)
    }
}
