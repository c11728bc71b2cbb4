import Shared

/// Compares what the clients were told with what the books say.
///
/// ```
///   history (clients) --------------.
///   MoneyBooks (stock, messages) ----> MoneyChecker <--pages-- payment audit (books, gateway's charges)
///                                          '--> MoneyCheck: violations of rules (a) to (g), payments checked
/// ```
///
/// Every payment is judged once, when its page comes, and then forgotten; what stays is the history with its keys, the
/// ``MoneyBooks``, and one hash for each key that was charged. So the time is linear in history and audits.
///
/// | rule | where |
/// |---|---|
/// | (a) ledger transactions balance, (b) one charge, (f) refunds | `MoneyRules.everyPayment` |
/// | (c) a success is complete | `MoneyRules.success`, `MoneyBooks`, ``finish()`` |
/// | (d) a failure leaves nothing | `MoneyRules.failure` |
/// | (e) an unknown outcome is settled | (c) or (d), whichever the books say, with nothing between |
/// | (g) stock is conserved | `MoneyBooks` |
public struct MoneyChecker {
    private let books: MoneyBooks
    private let settledBefore: UnixTime?
    private var history: PaymentHistory
    private var chargedKeys: Set<Fingerprint> = []
    private var check = MoneyCheck()
    private var ownSteps: Int

    /// Entries of history and audits that were looked at so far.
    var steps: Int { ownSteps + books.steps }

    /// - Parameters:
    ///   - history: empty when nobody watched the clients; the rules that need none hold all the same.
    ///   - books: with all pages of the inventory and of the notifications.
    ///   - settledBefore: a payment made later than this may still be under way, so only (a), (b) and (f) are asked of
    ///     it; nil: none may be.
    public init(
        history: some Sequence<PaymentOperation>, books: MoneyBooks, settledBefore: UnixTime? = nil
    ) {
        self.history = PaymentHistory(history)
        self.books = books
        self.settledBefore = settledBefore
        ownSteps = self.history.operations.count
    }

    public mutating func add(_ page: PaymentAuditPage) {
        for payment in page.payments { judge(payment) }
        for charge in page.chargesWithoutPayment { judgeOrphan(charge) }
    }

    /// Once all pages were added: what the clients know and the books do not.
    public mutating func finish() -> MoneyCheck {
        for operation in history.missing where operation.outcome == .ok {
            check.report(
                MoneyViolation(
                    rule: .successIsComplete, paymentID: operation.paymentID,
                    text: "it was acknowledged, and the books have no such payment", history: [operation.text]))
        }
        ownSteps += history.operations.count
        check.add(history.found)
        check.add(books.found)
        return check
    }

    private mutating func judge(_ payment: AuditedPayment) {
        check.checked += 1
        ownSteps += 1 + payment.ledger.count + payment.charges.count + payment.refunds.count + payment.outbox.count
        let evidence = PaymentEvidence(
            payment: payment, operation: history.operation(paymentID: payment.paymentID, key: payment.idempotencyKey),
            stock: books.entry(payment.paymentID),
            notified: ([payment.paymentID] + payment.notificationKeys).contains { books.entry($0).notified > 0 })
        report(MoneyRules.everyPayment(evidence) + chargedAgain(payment), evidence)
        if let settledBefore, payment.createdAt > settledBefore { return }
        if payment.status == .pending || payment.status == .processing {
            report([.init(.unknownIsSettled, "it is still \(payment.status.rawValue)")], evidence)
        } else {
            if payment.hasPendingRefund(since: settledBefore) {
                report([.init(.unknownIsSettled, "a refund is still pending")], evidence)
            }
            report(MoneyRules.told(evidence), evidence)
            report(payment.status.isSuccess ? MoneyRules.success(evidence) : MoneyRules.failure(evidence), evidence)
        }
    }

    /// One key may be charged once, whatever the payments are called.
    private mutating func chargedAgain(_ payment: AuditedPayment) -> [Breach] {
        var breaches: [Breach] = []
        let keys = payment.charges.filter { $0.state == .approved }.map { $0.idempotencyKey ?? payment.idempotencyKey }
        for key in Set(keys.compactMap(\.self)).sorted() where !chargedKeys.insert(Fingerprint(key)).inserted {
            breaches.append(.init(.oneCharge, "its key \(key) was charged for another payment too"))
        }
        return breaches
    }

    private mutating func judgeOrphan(_ charge: AuditedCharge) {
        ownSteps += 1
        guard charge.isStanding else { return }
        check.report(
            MoneyViolation(
                rule: .failureLeavesNothing, paymentID: charge.paymentID,
                text: "a charge stands, and the books have no such payment", history: [charge.text]))
        guard let key = charge.idempotencyKey, !chargedKeys.insert(Fingerprint(key)).inserted else { return }
        check.report(
            MoneyViolation(
                rule: .oneCharge, paymentID: charge.paymentID,
                text: "its key \(key) was charged for another payment too", history: [charge.text]))
    }

    private mutating func report(_ breaches: [Breach], _ evidence: PaymentEvidence) {
        for breach in breaches {
            check.report(
                MoneyViolation(
                    rule: breach.rule, paymentID: evidence.payment.paymentID, text: breach.text,
                    history: evidence.lines))
        }
    }
}
