import Foundation
import Gateway
import Logging
import ServiceTesting
import Shared
import TestSupport

@testable import PaymentService

/// An acquirer that is asked, then waits until its caller is cancelled. What it charges by then stays charged.
struct CancelledAcquirer: Acquirer {
    let charges: Bool
    /// Yields once it was asked.
    let asked: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    init(charges: Bool) {
        self.charges = charges
        (asked, continuation) = AsyncStream.makeStream()
    }

    func authorise(_ charge: ChargeRequest) async throws -> ChargeResult {
        continuation.yield()
        do {
            try await Task.sleep(for: .seconds(60))
        } catch {
            guard charges else { throw error }
        }
        return ChargeResult(.approved)
    }
}

extension PaymentLab {
    /// A processor on the lab's database and services, with another acquirer.
    func withProcessor<Value: Sendable>(
        _ acquirer: any Acquirer, _ body: (PaymentProcessor) async throws -> Value
    ) async throws -> Value {
        let database = try await Databases.open(
            url: "sqlite:\(folder.path)/payment.sqlite", migrations: PaymentStore.migrations)
        let processor = PaymentProcessor(
            store: PaymentStore(database: database),
            inventory: InventoryClient(
                downstream: Downstream(client: payment.http, baseURL: inventory.baseURL),
                settleTimeout: .seconds(2)),
            notifications: NotificationClient(
                downstream: Downstream(client: payment.http, baseURL: notification.baseURL)),
            acquirer: acquirer, inventoryTimeout: .seconds(5), notificationTimeout: .seconds(2),
            metrics: MetricsRegistry(), logger: log.logger())
        let value = try await body(processor)
        await database.close()
        return value
    }
}
