import Foundation
import Gateway
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

    func charge(of paymentID: String) async throws -> GatewayCharge? { nil }
    func refund(_ refundID: String, of paymentID: String, amount: Money) async throws -> Bool { false }
    func charges(ofPayments paymentIDs: [String]) async throws -> [GatewayCharge] { [] }
    func charges(afterPayment paymentID: String, limit: Int) async throws -> [GatewayCharge] { [] }
}

extension PaymentLab {
    /// What works on payments, on the lab's database and services but without workers of its own.
    ///
    /// - Parameter acquirer: nil for one on the lab's own gateway books.
    func withParts<Value: Sendable>(
        _ acquirer: (any Acquirer)? = nil, modes: FailureModes = .off, hook: StepHook = .none,
        clock: @escaping @Sendable () -> UnixTime = { .now }, _ body: (PaymentParts) async throws -> Value
    ) async throws -> Value {
        let database = try await openStore("payment", in: folder, migrations: PaymentStore.migrations)
        let gateway = try await openStore("gateway", in: folder, migrations: SimulatedAcquirer.migrations)
        var settings = PaymentSettings()
        settings.inventoryURL = inventory.baseURL
        settings.notificationURL = notification.baseURL
        let own = ServiceSettings(version: 1, seed: 1, failureModes: modes)
        let parts = PaymentParts(
            settings: settings, database: database,
            acquirer: acquirer ?? SimulatedAcquirer(database: gateway, settings: { own }), client: payment.http,
            metrics: MetricsRegistry(), hook: hook, logger: log.logger(), clock: clock)
        let value: Result<Value, any Error>
        do { value = .success(try await body(parts)) } catch { value = .failure(error) }
        await database.close()
        await gateway.close()
        return try value.get()
    }

    func order(_ json: String = #"{"amount":100,"product_id":"1"}"#) throws -> PaymentOrder {
        try JSONDecoder().decode(PaymentOrder.self, from: Data(json.utf8))
    }

    /// Every page of the audit, one payment a page.
    func audit(limit: Int = 1) async throws -> [JSONValue] {
        var payments: [JSONValue] = []
        var cursor = ""
        while true {
            let page = try await payment.get("/payment/audit?limit=\(limit)&after=\(cursor)")
            guard case .array(let found) = page["payments"] else { return payments }
            payments += found
            guard let next = page["next"]?.text else { return payments }
            cursor = next
        }
    }
}
