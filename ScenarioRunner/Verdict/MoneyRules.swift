import Shared

/// A rule that one payment breaks, before its history is put beside it.
struct Breach: Equatable {
    let rule: MoneyViolation.Rule
    let text: String

    init(_ rule: MoneyViolation.Rule, _ text: String) {
        self.rule = rule
        self.text = text
    }
}

/// All that is known of one payment.
struct PaymentEvidence {
    let payment: AuditedPayment
    /// What its client was told; nil for a payment of nobody who was watched.
    let operation: PaymentOperation?
    let stock: MoneyBooks.Entry
    let notified: Bool

    var approved: [AuditedCharge] { payment.charges.filter { $0.state == .approved } }
}

/// The rules, each over one payment.
enum MoneyRules {
    // MARK: Whatever became of it

    /// (a), (b), (f).
    static func everyPayment(_ evidence: PaymentEvidence) -> [Breach] {
        balance(evidence.payment) + oneCharge(evidence) + refunds(evidence)
    }

    private static func balance(_ payment: AuditedPayment) -> [Breach] {
        var sums: [[String]: Int128] = [:]
        for entry in payment.ledger {
            sums[[entry.transactionID, entry.currency], default: 0] += Int128(entry.amountMinor)
        }
        return sums.filter { $0.value != 0 }.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map { key, sum in
            Breach(.ledgerBalances, "transaction \(key[0]) sums to \(sum) minor units of \(key[1]), not to 0")
        }
    }

    private static func oneCharge(_ evidence: PaymentEvidence) -> [Breach] {
        let charges = evidence.approved
        return charges.count > 1 ? [Breach(.oneCharge, "the gateway charged it \(charges.count) times")] : []
    }

    /// Money goes back once: no more than came in, and in every book the same.
    private static func refunds(_ evidence: PaymentEvidence) -> [Breach] {
        let payment = evidence.payment
        let captured = evidence.approved.sum(\.amountMinor)
        let refunded = payment.refunds.filter { $0.state == .done }.sum(\.amountMinor)
        let pending = payment.refunds.filter { $0.state == .pending }.sum(\.amountMinor)
        let byGateway = evidence.approved.sum(\.refundedMinor)
        let inLedger = -payment.ledger.filter { $0.kind == .refund && $0.account == .gatewayReceivable }
            .sum(\.amountMinor)
        let most = [refunded + pending, byGateway, inLedger, Int128(payment.refundedMinor)].max() ?? 0
        if most > captured {
            return [Breach(.refundsWithinCaptures, "\(most) minor units went back, and \(captured) were captured")]
        }
        // A charge that was taken back because its payment failed is no refund of the payment's.
        guard payment.status.isSuccess else { return [] }
        // The gateway may have given what is pending already, or not yet.
        guard
            !(refunded...refunded + pending).contains(byGateway) || refunded != inLedger
                || refunded != Int128(payment.refundedMinor)
        else { return [] }
        return [
            Breach(
                .refundsWithinCaptures,
                "the books disagree about what went back, in minor units: refunds \(refunded), payment "
                    + "\(payment.refundedMinor), ledger \(inLedger), gateway \(byGateway)")
        ]
    }

    // MARK: By how it ended

    /// What the client was told is what the books say.
    static func told(_ evidence: PaymentEvidence) -> [Breach] {
        let status = evidence.payment.status
        switch evidence.operation?.outcome {
        case .ok where !status.isSuccess:
            return [Breach(.successIsComplete, "it was acknowledged, and the books say \(status.rawValue)")]
        case .declined where status.isSuccess, .failed where status.isSuccess:
            return [Breach(.failureLeavesNothing, "its client was refused, and the books say \(status.rawValue)")]
        case .ok, .declined, .failed, .unknown, nil: return []
        }
    }

    /// (c): exactly one charge over what the client wanted to pay, one capture, one confirmed reservation, and a
    /// notification.
    static func success(_ evidence: PaymentEvidence) -> [Breach] {
        let payment = evidence.payment
        var missing: [String] = []
        if let asked = evidence.operation?.amount, !payment.isOver(asked) {
            missing.append("its client wanted to pay \(asked.minorUnits) minor units of \(asked.currency.code)")
        }
        if evidence.approved.isEmpty { missing.append("it has no charge") }
        if evidence.approved.contains(where: {
            $0.amountMinor != payment.amountMinor || $0.currency != payment.currency
        }) {
            missing.append("its charge is not over its amount")
        }
        missing += captures(payment)
        if evidence.stock.confirmed != 1 {
            missing.append("it has \(evidence.stock.confirmed) confirmed reservations, not 1")
        }
        if evidence.stock.reserved > 0 { missing.append("it still holds reserved stock") }
        if !evidence.notified { missing.append("nobody was notified") }
        if payment.outbox.contains(where: { $0.state == .waiting }) { missing.append("a message still waits") }
        return missing.map { Breach(evidence.rule(otherwise: .successIsComplete), $0) }
    }

    private static func captures(_ payment: AuditedPayment) -> [String] {
        let captures = payment.ledger.filter { $0.kind == .capture }
        let transactions = Set(captures.map(\.transactionID))
        guard transactions.count == 1 else { return ["it has \(transactions.count) capture entries, not 1"] }
        func sum(_ account: AuditedPayment.LedgerEntry.Account) -> Int128 {
            captures.filter { $0.account == account && $0.currency == payment.currency }.sum(\.amountMinor)
        }
        let amount = Int128(payment.amountMinor)
        return sum(.gatewayReceivable) == amount && sum(.sales) == -amount
            ? [] : ["its capture entry is not over its amount"]
    }

    /// (d): no charge left standing, nothing in the ledger, no stock held.
    static func failure(_ evidence: PaymentEvidence) -> [Breach] {
        let payment = evidence.payment
        var left: [String] = []
        if evidence.approved.contains(where: \.isStanding) { left.append("a charge was left standing") }
        let ledger = payment.ledger.filter { $0.account == .gatewayReceivable }.sum(\.amountMinor)
        if ledger != 0 { left.append("\(ledger) minor units were left in the ledger") }
        if evidence.stock.reserved > 0 { left.append("it still holds reserved stock") }
        if evidence.stock.confirmed > 0 { left.append("its goods were sold") }
        if payment.outbox.contains(where: { $0.state == .waiting }) { left.append("a message still waits") }
        return left.map { Breach(evidence.rule(otherwise: .failureLeavesNothing), $0) }
    }
}

extension PaymentEvidence {
    /// (e) is (c) or (d) for those whose client did not learn the outcome.
    fileprivate func rule(otherwise rule: MoneyViolation.Rule) -> MoneyViolation.Rule {
        operation?.outcome == .unknown ? .unknownIsSettled : rule
    }

    /// The payment hop by hop, as far as the books tell.
    var lines: [String] {
        var lines = [operation?.text ?? "client: not watched"]
        lines.append(
            "payment: \(payment.status.rawValue), \(payment.amountMinor) minor units of \(payment.currency), "
                + "\(payment.refundedMinor) refunded" + (payment.idempotencyKey.map { ", key \($0)" } ?? ""))
        lines += payment.charges.prefix(5).map(\.text)
        lines += payment.ledger.prefix(8).map {
            "ledger: \($0.transactionID) \($0.kind.rawValue) \($0.account.rawValue) \($0.amountMinor) \($0.currency)"
        }
        lines += payment.refunds.prefix(5).map { "refund: \($0.refundID) \($0.amountMinor) \($0.state.rawValue)" }
        lines.append("stock: \(stock.reserved) reserved, \(stock.confirmed) confirmed reservations")
        lines += payment.outbox.prefix(5).map { "outbox: \($0.kind) \($0.key) \($0.state.rawValue)" }
        lines.append("notification: \(notified ? "sent" : "none")")
        return lines
    }
}

extension AuditedCharge {
    /// For a violation's history.
    var text: String {
        "charge: \(chargeID) \(state.rawValue) \(amountMinor) minor units of \(currency), \(refundedMinor) refunded"
            + (idempotencyKey.map { ", key \($0)" } ?? "")
    }
}

extension AuditedPayment {
    fileprivate func isOver(_ amount: Money) -> Bool {
        amountMinor == amount.minorUnits && currency == amount.currency.code
    }

    var notificationKeys: [String] { outbox.filter { $0.kind == "notification" }.map(\.key) }
}

extension AuditedPayment.Status {
    /// Whether the customer paid, whatever went back later.
    var isSuccess: Bool { self == .completed || self == .refunded || self == .partiallyRefunded }
}

extension Sequence {
    /// Wide enough for every sum of 64-bit amounts: a wrong book must not stop the check.
    fileprivate func sum(_ amount: (Element) -> Int64) -> Int128 { reduce(0) { $0 + Int128(amount($1)) } }
}
