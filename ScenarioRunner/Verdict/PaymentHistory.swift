import Shared

/// The operations of a run by payment and by key: one entry for each, however often it was tried.
struct PaymentHistory {
    private(set) var operations: [PaymentOperation] = []
    private var byPayment: [String: Int] = [:]
    private var byKey: [String: Int] = [:]
    private var seen: [Bool] = []
    private(set) var found = MoneyCheck()

    init(_ history: some Sequence<PaymentOperation>) {
        for operation in history { add(operation) }
        seen = Array(repeating: false, count: operations.count)
    }

    /// What the clients were told about a payment of the books, whichever of its names they knew. It counts as found.
    mutating func operation(paymentID: String, key: String?) -> PaymentOperation? {
        guard let index = index(paymentID, key) else { return nil }
        seen[index] = true
        return operations[index]
    }

    /// What the clients were told about payments that the books do not have.
    var missing: [PaymentOperation] {
        zip(operations, seen).lazy.filter { !$1 }.map { $0.0 }
    }

    private func index(_ paymentID: String?, _ key: String?) -> Int? {
        paymentID.flatMap { byPayment[$0] } ?? key.flatMap { byKey[$0] }
    }

    private mutating func add(_ operation: PaymentOperation) {
        let index = index(operation.paymentID, operation.idempotencyKey) ?? operations.count
        if index == operations.count {
            operations.append(operation)
        } else {
            operations[index] = merge(operations[index], operation)
        }
        if let id = operation.paymentID { byPayment[id] = index }
        if let key = operation.idempotencyKey { byKey[key] = index }
    }

    /// Later tries of one operation may say more than the first one did; what was acknowledged stays acknowledged.
    private mutating func merge(_ one: PaymentOperation, _ other: PaymentOperation) -> PaymentOperation {
        if one.outcome == .ok, other.outcome == .ok, let first = one.paymentID, let second = other.paymentID,
            first != second
        {
            found.report(
                MoneyViolation(
                    rule: .oneCharge, paymentID: second,
                    text: "its key was acknowledged twice, the other time as \(first)",
                    history: [one.text, other.text]))
        }
        let stronger = one.outcome.weight >= other.outcome.weight ? one : other
        return PaymentOperation(
            idempotencyKey: one.idempotencyKey ?? other.idempotencyKey,
            paymentID: stronger.paymentID ?? one.paymentID ?? other.paymentID, outcome: stronger.outcome,
            amount: one.amount ?? other.amount)
    }
}

extension PaymentOperation {
    /// For a violation's history.
    var text: String {
        let key = idempotencyKey.map { "key \($0)" } ?? "no key"
        let answer = outcome == .unknown ? "no answer that says how it ended" : "answered \(outcome.rawValue)"
        let wish = amount.map { "\($0.text) \($0.currency.code) " } ?? ""
        return "client: invoked \(wish)with \(key), \(answer)" + (paymentID.map { ", \($0)" } ?? "")
    }
}

extension PaymentOperation.Outcome {
    /// What outweighs what among tries with one key: a refused second try (rate limit) settles nothing about the first.
    fileprivate var weight: Int {
        switch self {
        case .ok: 3
        case .declined: 2
        case .unknown: 1
        case .failed: 0
        }
    }
}
