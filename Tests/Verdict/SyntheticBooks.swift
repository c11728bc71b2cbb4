import Experiments
import Shared

@testable import Verdict

/// The books of a payment system that does everything right, for tests to put one thing wrong in.
struct SyntheticBooks {
    var history: [PaymentOperation] = []
    var payments: [AuditedPayment] = []
    var orphans: [AuditedCharge] = []
    var reservations: [InventoryAuditPage.Reservation] = []
    var notifications: [NotificationAuditPage.Notification] = []
    var totals = [
        InventoryAuditPage.Total(productID: "1", initial: 1000, restocked: 0, onHand: 1000, reserved: 0, sold: 0)
    ]

    /// A payment that came to `status`, told to its client as `outcome`, or to nobody.
    mutating func pay(
        _ id: String, _ status: AuditedPayment.Status = .completed, told outcome: PaymentOperation.Outcome? = .ok,
        knowsID: Bool = true, amount: Int64 = 1999, refunds: [Int64] = []
    ) {
        let key = "key-\(id)"
        if let outcome {
            history.append(
                PaymentOperation(
                    idempotencyKey: key, paymentID: knowsID ? id : nil, outcome: outcome,
                    amount: Money(minorUnits: amount, currency: .usd)))
        }
        let refunded = refunds.reduce(0, +)
        var payment = AuditedPayment(
            paymentID: id, status: status, amountMinor: amount, currency: "USD", refundedMinor: refunded,
            idempotencyKey: key, declineCode: status == .declined ? "generic_decline" : nil,
            createdAt: UnixTime(milliseconds: 1000), ledger: [],
            charges: status == .failed ? [] : [charge(id, amount, status.isSuccess ? .approved : .declined, refunded)],
            refunds: [], outbox: [])
        let state: InventoryAuditPage.Reservation.State = status.isSuccess ? .confirmed : .released
        reservations.append(.init(reservationID: "RES-\(id)", key: id, state: state))
        if status.isSuccess {
            payment.ledger += entries("CAP-\(id)", .capture, amount)
            payment.outbox += ["confirm", "notification"].map { .init(kind: $0, key: id, state: .done) }
            notifications.append(.init(id: "NOT-\(id)", key: id))
            totals[0].onHand -= 1
            totals[0].sold += 1
        }
        for (number, refund) in refunds.enumerated() {
            payment.refunds.append(
                .init(
                    refundID: "REF-\(id)-\(number)", amountMinor: refund, state: .done,
                    createdAt: UnixTime(milliseconds: 2000)))
            payment.ledger += entries("REF-\(id)-\(number)", .refund, -refund)
        }
        payments.append(payment)
    }

    func charge(
        _ id: String, _ amount: Int64 = 1999, _ state: AuditedCharge.State = .approved, _ refunded: Int64 = 0
    ) -> AuditedCharge {
        AuditedCharge(
            chargeID: "CH-\(id)", paymentID: id, idempotencyKey: "key-\(id)", amountMinor: amount, currency: "USD",
            state: state, refundedMinor: refunded)
    }

    private func entries(
        _ id: String, _ kind: AuditedPayment.LedgerEntry.Kind, _ amount: Int64
    ) -> [AuditedPayment.LedgerEntry] {
        [(.gatewayReceivable, amount), (.sales, -amount)].map {
            .init(transactionID: id, kind: kind, account: $0, amountMinor: $1, currency: "USD")
        }
    }

    func checker(pageSize: Int = 7, settledBefore: UnixTime? = nil) throws -> MoneyChecker {
        var books = MoneyBooks()
        for page in reservations.pages(of: pageSize) {
            try books.add(InventoryAuditPage(totals: [], reservations: page, next: nil))
        }
        try books.add(InventoryAuditPage(totals: totals, reservations: [], next: nil))
        for page in notifications.pages(of: pageSize) {
            try books.add(NotificationAuditPage(notifications: page, next: nil))
        }
        var checker = MoneyChecker(history: history, books: books, settledBefore: settledBefore)
        for page in payments.pages(of: pageSize) { checker.add(PaymentAuditPage(payments: page)) }
        checker.add(PaymentAuditPage(payments: [], chargesWithoutPayment: orphans))
        return checker
    }

    func check(settledBefore: UnixTime? = nil) throws -> MoneyCheck {
        var checker = try checker(settledBefore: settledBefore)
        return checker.finish()
    }

    /// Payments of every kind, each told to its client as a client may be told.
    static func random(_ count: Int, seed: UInt64) -> SyntheticBooks {
        var generator = SeededGenerator(seed: seed)
        var books = SyntheticBooks()
        for number in 0..<count {
            let amount = Int64.random(in: 1...100_000, using: &generator)
            let part = Int64.random(in: 1...amount, using: &generator)
            let (status, told, refunds): (AuditedPayment.Status, PaymentOperation.Outcome, [Int64]) =
                switch Int.random(in: 0..<6, using: &generator) {
                case 0: (.declined, .declined, [])
                case 1: (.failed, .failed, [])
                case 2 where part < amount: (.partiallyRefunded, .ok, [part])
                case 3: (.refunded, .ok, part < amount ? [part, amount - part] : [amount])
                default: (.completed, .ok, [])
                }
            let isUnknown = Int.random(in: 0..<4, using: &generator) == 0
            let isWatched = Int.random(in: 0..<5, using: &generator) > 0
            books.pay(
                "PAY-\(number)", status, told: isWatched ? (isUnknown ? .unknown : told) : nil,
                knowsID: Bool.random(using: &generator) || !isUnknown, amount: amount, refunds: refunds)
            // The request never arrived: no book knows it.
            if isUnknown {
                books.history.append(.init(idempotencyKey: "lost-\(number)", paymentID: nil, outcome: .unknown))
            }
        }
        books.history.shuffle(using: &generator)
        return books
    }
}

extension Array {
    fileprivate func pages(of size: Int) -> [[Element]] {
        stride(from: 0, to: count, by: size).map { Array(self[$0..<Swift.min($0 + size, count)]) }
    }
}
