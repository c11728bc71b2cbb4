import Logging
import Shared

/// Says to inventory and notification what the outbox holds for them.
///
/// A message is said at least once; both services do a repeated one only once, by its key.
struct Deliverer: Sendable {
    let store: PaymentStore
    let inventory: InventoryClient
    let notifications: NotificationClient
    let notificationTimeout: Duration
    let logger: Logger

    /// The most messages that one round of the worker takes.
    static let batch = 32

    /// Delivers messages of this process's own all at once, and does not note what came of it yet.
    func attempt(_ messages: [OutboxMessage]) async -> [DeliveryAttempt] {
        await withTaskGroup(of: DeliveryAttempt.self) { group in
            for message in messages { group.addTask { await attempt(message) } }
            return await group.reduce(into: []) { $0.append($1) }
        }
    }

    /// One round of the outbox worker.
    ///
    /// - Returns: how many messages there were.
    func deliverWaiting() async throws -> Int {
        let messages = try await store.claimMessages(limit: Self.batch)
        guard !messages.isEmpty else { return 0 }
        let attempts = await attempt(messages)
        try await uncancelled { try await store.record(attempts) }
        return messages.count
    }

    private func attempt(_ message: OutboxMessage) async -> DeliveryAttempt {
        let start = ContinuousClock.now
        let kind = message.content.kind
        do {
            try await deliver(message)
            return DeliveryAttempt(
                message: message, isDelivered: true,
                event: PaymentEvent(name: kind, detail: "delivered", latency: ContinuousClock.now - start))
        } catch {
            logger.warning(
                "a message of the outbox was not delivered",
                metadata: [
                    "kind": "\(kind)", "payment_id": "\(message.paymentID)", "error": "\(error)",
                    "attempts": .stringConvertible(message.attempts),
                ])
            let reason = (error as? DownstreamError).map { "\($0)" } ?? "it was interrupted"
            return DeliveryAttempt(
                message: message, isDelivered: false,
                event: PaymentEvent(
                    name: kind, detail: "attempt \(message.attempts): \(reason)",
                    latency: ContinuousClock.now - start))
        }
    }

    private func deliver(_ message: OutboxMessage) async throws {
        let id = message.paymentID
        switch message.content {
        // Stock is settled although the caller has gone: others wait for it.
        case .confirm: try await uncancelled { try await inventory.confirm(paymentID: id) }
        case .release: try await uncancelled { try await inventory.release(paymentID: id) }
        case .notification(let text):
            try await notifications.send(text, recipient: message.recipient, key: id, timeout: notificationTimeout)
        }
    }
}
