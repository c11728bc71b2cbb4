import Foundation
import ServiceTesting
import Shared
import TestSupport
import Testing

@testable import PaymentService

@Suite("A payment")
struct PaymentTests {
    private func payment(_ status: Payment.Status, refunded: Int64 = 0) -> Payment {
        Payment(
            id: "PAY-1", amount: Money(minorUnits: 1000, currency: .usd), status: status, refundedMinorUnits: refunded)
    }

    @Test("ends once: nothing moves a payment that has ended without money")
    func ends() {
        let events: [(Payment.Event, Payment.Status)] = [
            (.approved, .completed), (.declined(.stolenCard), .declined), (.failed, .failed),
        ]
        for (event, status) in events {
            var payment = payment(.processing)
            let action = payment.event(event)
            #expect(action == .save && payment.status == status)
            for (other, _) in events {
                let action = payment.event(other)
                #expect(action == .refuse && payment.status == status)
            }
        }
        for status in [Payment.Status.pending, .processing, .declined, .failed, .refunded] {
            var payment = payment(status)
            let action = payment.event(.refunded(minorUnits: 1))
            #expect(action == .refuse && payment.refundable.minorUnits == 0)
        }
    }

    @Test("asks for money once, and ends with money only after asking")
    func charging() {
        var fresh = payment(.pending)
        for event in [Payment.Event.approved, .declined(.stolenCard)] {
            let action = fresh.event(event)
            #expect(action == .refuse && fresh.status == .pending)
        }
        let first = fresh.event(.charging)
        let second = fresh.event(.charging)
        #expect(first == .save && second == .refuse && fresh.status == .processing)
        var hopeless = payment(.pending)
        let failed = hopeless.event(.failed)
        let late = hopeless.event(.charging)
        #expect(failed == .save && late == .refuse && hopeless.status == .failed)
    }

    @Test("gives back up to what was paid")
    func refunds() {
        var payment = payment(.completed)
        let wishes: [(Int64, Payment.Action, Payment.Status)] = [
            (.min, .refuse, .completed), (-1, .refuse, .completed), (0, .refuse, .completed),
            (1001, .refuse, .completed), (.max, .refuse, .completed), (999, .save, .partiallyRefunded),
            (2, .refuse, .partiallyRefunded), (1, .save, .refunded), (1, .refuse, .refunded),
        ]
        for (minorUnits, expected, status) in wishes {
            let action = payment.event(.refunded(minorUnits: minorUnits))
            #expect(action == expected && payment.status == status, "\(minorUnits)")
        }
        #expect(payment.refunded.minorUnits == 1000)
    }

    private static func ledger(_ values: String) -> String {
        """
        INSERT INTO ledger_entry (transaction_id, payment_id, kind, account, amount_minor, currency, created_at)
        VALUES (\(values), 'USD', 0)
        """
    }

    @Test("keeps its invariants in the schema")
    func schema() async throws {
        try await withTemporaryFolder { folder in
            let database = try await openStore("payment", in: folder, migrations: PaymentStore.migrations)
            _ = try await database.write {
                try $0.execute(
                    """
                    INSERT INTO payment (id, status, amount_minor, currency, product_id, quantity, card_last_four,
                        card_brand, idempotency_key, created_at, updated_at)
                    VALUES ('a', 'completed', 100, 'USD', '1', 1, '4242', 'visa', 'k', 0, 0)
                    """)
                try $0.execute(Self.ledger("'a', 'a', 'capture', 'sales', -100"))
            }
            func ledger(_ values: String) -> String { Self.ledger(values) }
            let violations = [
                "UPDATE payment SET refunded_minor = 101, status = 'partially_refunded'",
                "UPDATE payment SET refunded_minor = 50", "UPDATE payment SET status = 'refunded'",
                "UPDATE payment SET status = 'lost'", "UPDATE payment SET status = 'declined'",
                "UPDATE payment SET amount_minor = 0", "UPDATE payment SET card_last_four = '4242424242424242'",
                "INSERT INTO refund (id, payment_id, amount_minor, created_at) VALUES ('r', 'none', 1, 0)",
                "INSERT INTO refund (id, payment_id, amount_minor, created_at) VALUES ('r', 'a', 0, 0)",
                ledger("'t', 'none', 'capture', 'sales', -1"), ledger("'t', 'a', 'capture', 'sales', 1"),
                ledger("'t', 'a', 'capture', 'gateway_receivable', 0"), ledger("'t', 'a', 'gift', 'sales', -1"),
                ledger("'t', 'a', 'refund', 'gateway_receivable', 1"), ledger("'t', 'a', 'capture', 'cash', 1"),
                ledger("'u', 'a', 'capture', 'sales', -100"),
                """
                INSERT INTO payment (id, status, amount_minor, currency, product_id, quantity, card_last_four,
                    card_brand, idempotency_key, created_at, updated_at)
                VALUES ('b', 'completed', 100, 'USD', '1', 1, '4242', 'visa', 'k', 0, 0)
                """,
            ]
            for sql in violations {
                await #expect(throws: StoreError.self, "\(sql)") {
                    _ = try await database.write { try $0.execute(sql) }
                }
            }
            await database.close()
        }
    }
}
