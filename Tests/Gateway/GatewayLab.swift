import Foundation
import ServiceTesting
import TestSupport
import Shared

@testable import Gateway

/// Runs `body` with an acquirer on a store of its own.
func withAcquirer<Value: Sendable>(
    _ modes: FailureModes = .off, seed: UInt64 = 1, _ body: (SimulatedAcquirer) async throws -> Value
) async throws -> Value {
    try await withTemporaryFolder { folder in
        let database = try await openStore("gateway", in: folder, migrations: SimulatedAcquirer.migrations)
        let settings = ServiceSettings(version: 1, seed: seed, failureModes: modes)
        let value: Result<Value, any Error>
        do {
            value = .success(try await body(SimulatedAcquirer(database: database, settings: { settings })))
        } catch { value = .failure(error) }
        await database.close()
        return try value.get()
    }
}

extension ChargeRequest {
    static func sample(
        _ id: String = "PAY-1", key: String? = nil, _ instrument: PaymentInstrument = .unnamed
    ) -> ChargeRequest {
        ChargeRequest(
            paymentID: id, idempotencyKey: key, amount: Money(minorUnits: 1999, currency: .usd),
            instrument: instrument)
    }
}
