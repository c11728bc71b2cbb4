/// The points of a payment's and a refund's way between which the process may die: after each, what was done so far
/// is durable or was said to another service.
enum WorkStep: String, Sendable, CaseIterable {
    case begun
    case stockTaken = "stock-taken"
    case charging
    case charged
    case settled
    case delivered
    case reconciling
    case reconciled
    case refundBegun = "refund-begun"
    case refundGiven = "refund-given"
    case refundDone = "refund-done"
}

/// Is told each step as it is reached. In production nobody listens; a test can end the process there.
struct StepHook: Sendable {
    let reached: @Sendable (WorkStep) async -> Void

    static let none = StepHook { _ in }
}
