import Gateway
import HTTPTypes
import Logging
import Metrics
import Shared

/// Takes one payment from the order to its end.
///
/// ```
///   store: processing --> inventory: check, reserve --> gateway: charge --+--approved--> store: completed
///                              |                                          |              inventory: confirm
///                              |                                          |              notification: send
///                              |                                          |
///                              '--no stock, no answer--> store: failed    '--declined--> store: declined
///                                                        inventory: release              inventory: release
/// ```
///
/// Stock is taken before money, and money is never asked for without stock. What must happen after the charge
/// happens although the caller has gone: see ``uncancelled(_:)``.
struct PaymentProcessor: Sendable {
    let store: PaymentStore
    let inventory: InventoryClient
    let notifications: NotificationClient
    let acquirer: any Acquirer
    /// For the inventory steps before the charge, all together.
    let inventoryTimeout: Duration
    let notificationTimeout: Duration
    let metrics: any MetricsFactory
    let logger: Logger

    /// One payment under way.
    private struct Job: Sendable {
        let id: String
        let order: PaymentOrder
        let key: IdempotencyKey?
        let start: ContinuousClock.Instant
    }

    /// - Parameter keyName: the caller's Idempotency-Key.
    /// - Returns: the answer, and whether it was given before.
    /// - Throws: ``Problem`` for what is no answer to keep: a key that is taken or still running, a store that fails.
    func process(_ order: PaymentOrder, keyName: String?) async throws -> (answer: Answer, isReplay: Bool) {
        let key = keyName.map { IdempotencyKey(name: $0, requestText: order.canonicalText) }
        let job = Job(id: Identifier.make(prefix: "PAY"), order: order, key: key, start: .now)
        switch try await store.begin(order, id: job.id, key: key) {
        case .begun:
            do { return (try await run(job), false) } catch { throw unfinished(job, error) }
        case .answered(let answer):
            return (answer, true)
        case .running(let paymentID):
            throw Problem.retryLater(
                .conflict, "The first request with this Idempotency-Key is still running.", seconds: 1,
                members: ["payment_id": .string(paymentID)])
        case .keyIsTaken:
            throw Problem.invalid("Idempotency-Key", "was used for another request: use a new key")
        }
    }

    private func run(_ job: Job) async throws -> Answer {
        do {
            let stock = try await inventory.takeStock(job.order, paymentID: job.id, timeout: inventoryTimeout)
            let result = try await acquirer.authorise(
                ChargeRequest(
                    paymentID: job.id, idempotencyKey: job.key?.name, amount: job.order.amount,
                    instrument: job.order.instrument))
            return try await settle(job, stock, result)
        } catch let failure as InventoryFailure {
            return try await end(job, .failed, failure.problem, releasing: failure.mayHoldStock)
        } catch is CancellationError {
            let problem = Problem(
                .serviceUnavailable, "The service is shutting down. Nothing was charged: pay again with a new key.")
            return try await end(job, .failed, problem, releasing: true)
        }
    }

    private func settle(_ job: Job, _ stock: TakenStock, _ result: ChargeResult) async throws -> Answer {
        switch result.outcome {
        case .approved:
            return try await complete(job, stock)
        case .declined(let code):
            let problem = Problem(
                HTTPResponse.Status(code: 402, reasonPhrase: "Payment Required"), code.customerMessage,
                members: ["decline_code": .string(code.rawValue)])
            return try await end(job, .declined(code), problem, releasing: true, scenario: result.scenario)
        case .noAnswer:
            // The simulated gateway goes silent before it charges, so nothing is owed. A gateway whose outcome can
            // be unknown needs someone who asks it later, and a payment that stays `processing` until then.
            let problem = Problem(
                .gatewayTimeout, "Gateway timeout: the payment gateway did not answer in time.",
                members: ["source": .string("gateway")])
            return try await end(job, .failed, problem, releasing: true, scenario: result.scenario)
        }
    }

    /// The charge was made: write it down first, then tell the others.
    private func complete(_ job: Job, _ stock: TakenStock) async throws -> Answer {
        try await uncancelled {
            try await store.finish(job.id, .approved, answer: nil)
            await attempt("confirm", job) { try await inventory.confirm(paymentID: job.id) }
        }
        let amount = job.order.amount
        let isNotified = await attempt("notify", job) {
            try await notifications.send(
                "Your payment of \(amount.text) \(amount.currency.code) was received.",
                recipient: job.order.recipient, key: job.id, timeout: notificationTimeout)
        }
        let answer = Answer(success: [
            "payment_id": .string(job.id), "status": .string("success"), "amount": .decimal(amount.decimal),
            "currency": .string(amount.currency.code), "inventory_check": stock.check,
            "processing_time_ms": .milliseconds(ContinuousClock.now - job.start),
            "timestamp": .decimal(UnixTime.now.decimalSeconds), "reservation_id": .string(stock.reservationID),
            "notification_status": .string(isNotified ? "sent" : "failed"),
        ])
        if job.key != nil {
            try await uncancelled { try await store.remember(answer, of: job.id) }
        }
        record(job, "completed", scenario: nil)
        return answer
    }

    /// The payment ends without money: write it down, then give the stock back.
    private func end(
        _ job: Job, _ event: Payment.Event, _ problem: Problem, releasing: Bool, scenario: FailureScenario? = nil
    ) async throws -> Answer {
        var problem = problem
        problem.members["payment_id"] = .string(job.id)
        let answer = Answer(problem)
        try await uncancelled {
            try await store.finish(job.id, event, scenario: scenario?.rawValue, answer: answer)
            if releasing { await attempt("release", job) { try await inventory.release(paymentID: job.id) } }
        }
        record(job, event == .failed ? "failed" : "declined", scenario: scenario)
        return answer
    }

    /// Does what the payment does not depend on: stock that is not confirmed or released now goes back when its
    /// reservation is over, and the answer says that nobody was notified.
    @discardableResult
    private func attempt(_ step: String, _ job: Job, _ body: () async throws -> Void) async -> Bool {
        do {
            try await body()
            return true
        } catch {
            logger.warning(
                "a step after the payment failed",
                metadata: ["step": "\(step)", "payment_id": "\(job.id)", "error": "\(error)"])
            return false
        }
    }

    /// The store failed in the middle: what the caller can do is ask for the payment's status.
    private func unfinished(_ job: Job, _ error: any Error) -> Problem {
        logger.error("a payment is unfinished", metadata: ["payment_id": "\(job.id)", "error": "\(error)"])
        return Problem(
            .internalServerError, "The payment's outcome could not be stored. Ask for its status.",
            members: ["payment_id": .string(job.id)])
    }

    private func record(_ job: Job, _ outcome: String, scenario: FailureScenario?) {
        let cause = scenario?.rawValue ?? "none"
        Counter(
            label: "payments_total", dimensions: [("outcome", outcome), ("scenario", cause)], factory: metrics
        ).increment()
        logger.info(
            "payment ended",
            metadata: ["payment_id": "\(job.id)", "outcome": "\(outcome)", "scenario": "\(cause)"])
    }
}
