import Gateway
import ServiceTesting
import Shared
import Synchronization
import Testing

@testable import PaymentService

@Suite("The pages of the books")
struct AuditTests {
    /// The gateway's books, with a note of how much of them each question may look at.
    private struct WatchedAcquirer: Acquirer {
        let base: any Acquirer
        let looks: LookedAt

        func authorise(_ charge: ChargeRequest) async throws -> ChargeResult { try await base.authorise(charge) }
        func charge(of paymentID: String) async throws -> GatewayCharge? { try await base.charge(of: paymentID) }
        func refund(_ refundID: String, of paymentID: String, amount: Money) async throws -> Bool {
            try await base.refund(refundID, of: paymentID, amount: amount)
        }
        func charges(ofPayments paymentIDs: [String]) async throws -> [GatewayCharge] {
            looks.payments.withLock { $0 += paymentIDs.count }
            return try await base.charges(ofPayments: paymentIDs)
        }
        func charges(afterPayment paymentID: String, limit: Int) async throws -> [GatewayCharge] {
            looks.charges.withLock { $0 += limit }
            return try await base.charges(afterPayment: paymentID, limit: limit)
        }
    }

    private final class LookedAt: Sendable {
        let payments = Mutex(0)
        let charges = Mutex(0)

        func reset() -> Int {
            payments.withLock { payments in
                charges.withLock { charges in
                    defer { (payments, charges) = (0, 0) }
                    return payments + charges
                }
            }
        }
    }

    private func charge(_ id: String) -> ChargeRequest {
        ChargeRequest(paymentID: id, amount: Money(minorUnits: 1999, currency: .usd), instrument: .unnamed)
    }

    @Test("look at no more than their limit, and miss no charge without payment", arguments: [1, 2, 3, 5, 12, 13, 500])
    func bounded(limit: Int) async throws {
        try await PaymentLab.run { lab in
            let looks = LookedAt()
            try await lab.withParts { parts in
                // Each with its charge, and a charge of nothing known before, among and after them.
                for number in 1...5 {
                    _ = try await parts.store.begin(lab.order(), id: "PAY-\(number)", key: nil)
                    _ = try await parts.acquirer.authorise(charge("PAY-\(number)"))
                }
                let orphans = ["PAY-0", "PAY-3x", "PAY-9"]
                for id in orphans { _ = try await parts.acquirer.authorise(charge(id)) }

                let audit = Audit(
                    store: parts.store, acquirer: WatchedAcquirer(base: parts.acquirer, looks: looks))
                var (payments, found, cursor, pages) = ([String](), [String](), Audit.Cursor(""), 0)
                while let after = cursor {
                    let page = try await audit.page(after: after, limit: limit)
                    #expect(looks.reset() <= limit, "\(after)")
                    payments += Self.ids(page["payments"])
                    found += Self.ids(page["charges_without_payment"])
                    cursor = page["next"]?.text.flatMap(Audit.Cursor.init)
                    pages += 1
                }
                #expect(payments == (1...5).map { "PAY-\($0)" } && found == orphans)
                // What is left over of 13 entries may be an empty page.
                #expect(pages == 13 / limit + 1)
            }
        }
    }

    @Test("go on over HTTP from the cursor that they name")
    func overHTTP() async throws {
        try await PaymentLab.run { lab in
            try await lab.withParts { parts in
                for number in 1...7 { _ = try await parts.acquirer.authorise(charge("PAY-\(number)")) }
            }
            #expect(try await lab.pay().status == 200)
            var (found, cursor, pages) = ([String](), "", 0)
            repeat {
                let page = try await lab.payment.get("/payment/audit?limit=3&after=\(cursor)")
                found += Self.ids(page["charges_without_payment"])
                cursor = page["next"]?.text ?? ""
                pages += 1
            } while !cursor.isEmpty && pages < 10
            #expect(found == (1...7).map { "PAY-\($0)" } && pages == 4)
        }
    }

    private static func ids(_ list: JSONValue?) -> [String] {
        guard case .array(let elements) = list else { return [] }
        return elements.compactMap { $0["payment_id"]?.text }
    }
}
