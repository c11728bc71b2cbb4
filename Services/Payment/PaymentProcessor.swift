import Gateway
import HTTPTypes
import Logging
import Shared

/// Takes one payment from the order to its end.
///
/// ```
///   store: pending --> inventory: check, reserve --> store: processing --> gateway: charge
///                            |                                               |
///       no stock, no answer  |      .--approved: store: completed, ledger, outbox --> inventory: confirm
///                            v      |                                                 notification: send
///                  store: failed <--+--declined: store: declined, outbox ----------> inventory: release
///                                   '--no answer: 504 or 202, stays processing ----> the reconciler
/// ```
///
/// Stock is taken before money, and money is never asked for without stock. Each step is written down before the
/// next begins, so whoever takes over knows how far it came. What must happen after the charge happens although the
/// caller has gone: see ``uncancelled(_:)``.
struct PaymentProcessor: Sendable {
    let store: PaymentStore
    let inventory: InventoryClient
    let acquirer: any Acquirer
    let deliverer: Deliverer
    let keeper: LeaseKeeper
    /// For the inventory steps before the charge, all together.
    let inventoryTimeout: Duration
    /// Whether a payment whose outcome is not known yet is answered 202: accepted, and settled by the reconciler.
    let acceptsPending: @Sendable () -> Bool
    let outcomes: PaymentOutcomes
    let hook: StepHook
    let logger: Logger

    /// Less than most callers wait.
    private static let gatewayPatience = Duration.seconds(2)

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
            await hook.reached(.begun)
            do { return (try await keeper.holding(job.id) { try await run(job) }, false) } catch {
                throw unfinished(job, error)
            }
        case .answered(let answer):
            return (answer, true)
        case .running(let paymentID):
            throw Problem.retryLater(
                .conflict, "The outcome of the first request with this Idempotency-Key is not known yet.", seconds: 1,
                members: ["payment_id": .string(paymentID)])
        case .keyIsTaken:
            throw Problem.invalid("Idempotency-Key", "was used for another request: use a new key")
        }
    }

    private func run(_ job: Job) async throws -> Answer {
        let stock: TakenStock
        let start = ContinuousClock.now
        do {
            stock = try await inventory.takeStock(job.order, paymentID: job.id, timeout: inventoryTimeout)
        } catch let failure as InventoryFailure {
            let hop = Self.hop("inventory", "no stock: \(failure.reason)", since: start)
            return try await fail(job, failure.problem, releasing: failure.mayHoldStock, [hop])
        } catch is CancellationError {
            let problem = Problem.retryLater(
                .serviceUnavailable, "The service is shutting down. Nothing was charged: pay again with a new key.",
                seconds: Answer.retrySeconds)
            return try await fail(job, problem, releasing: true, [Self.hop("inventory", "interrupted", since: start)])
        }
        await hook.reached(.stockTaken)
        let reserved = Self.hop("inventory", "reserved", since: start)
        let isOurs = try await uncancelled { try await store.startCharge(job.id, stock, events: [reserved]) }
        guard isOurs else { return try await settledElsewhere(job) }
        await hook.reached(.charging)
        return try await charge(job, stock)
    }

    private func charge(_ job: Job, _ stock: TakenStock) async throws -> Answer {
        let start = ContinuousClock.now
        let result: ChargeResult
        do {
            result = try await authorise(
                ChargeRequest(
                    paymentID: job.id, idempotencyKey: job.key?.name, amount: job.order.amount,
                    instrument: job.order.instrument))
        } catch {
            // The charge may be made all the same.
            logger.warning(
                "the gateway's answer is lost", metadata: ["payment_id": "\(job.id)", "error": "\(error)"])
            return try await leaveOpen(
                job, error is CancellationError ? .interrupted : .gatewayTimeout, scenario: nil,
                Self.hop("gateway", "no answer", since: start))
        }
        await hook.reached(.charged)
        let scenario = result.scenario?.rawValue
        func hop(_ detail: String) -> PaymentEvent { Self.hop("gateway", detail, since: start, scenario) }
        switch result.outcome {
        case .approved:
            return try await complete(job, stock, result, hop("approved"))
        case .declined(let code):
            let settlement = Settlement(
                event: .declined(code), scenario: scenario, answer: .failure(.declined(code), of: job.id),
                releasesStock: true, events: [hop("declined: \(code.rawValue)")])
            return try await end(job, settlement)
        case .closed:
            return try await settledElsewhere(job)
        case .noAnswer:
            return try await leaveOpen(job, .gatewayTimeout, scenario: scenario, hop("no answer"))
        }
    }

    /// Where a payment may be accepted and settled later, nobody waits long for a silent gateway, and the caller hears
    /// of it before it gives up.
    private func authorise(_ request: ChargeRequest) async throws -> ChargeResult {
        guard acceptsPending() else { return try await acquirer.authorise(request) }
        let left = RequestDeadline.current.map { $0.remaining * 4 / 5 }
        let deadline = RequestDeadline(after: min(Self.gatewayPatience, left ?? Self.gatewayPatience))
        return try await RequestDeadline.$current.withValue(deadline) { try await acquirer.authorise(request) }
    }

    /// The charge was made: write it down first, then tell the others.
    private func complete(
        _ job: Job, _ stock: TakenStock, _ result: ChargeResult, _ hop: PaymentEvent
    ) async throws -> Answer {
        @Sendable func answer(isNotified: Bool) -> Answer {
            .success(
                Payment(id: job.id, amount: job.order.amount), check: stock.check, reservationID: stock.reservationID,
                took: ContinuousClock.now - job.start, isNotified: isNotified)
        }
        let settlement = Settlement(
            event: .approved, scenario: result.scenario?.rawValue, answer: answer(isNotified: false),
            releasesStock: false, events: [hop])
        let final = try await end(job, settlement) { answer(isNotified: $0) }
        guard let delay = result.lostAnswerDelay else { return final }
        // The payment is complete whether its caller waits or not.
        try? await Task.sleep(for: delay)
        return .failure(.gatewayTimeout, of: job.id)
    }

    /// The payment ends without the gateway having been asked.
    private func fail(
        _ job: Job, _ problem: Problem, releasing: Bool, _ events: [PaymentEvent]
    ) async throws -> Answer {
        try await end(
            job,
            Settlement(
                event: .failed, scenario: nil, answer: .failure(problem, of: job.id), releasesStock: releasing,
                events: events))
    }

    /// Writes down how the payment ends, then delivers what the outbox got from it; what cannot be delivered now is
    /// left to the worker.
    ///
    /// - Parameter updated: the answer once it is known whether the notification has left.
    private func end(
        _ job: Job, _ settlement: Settlement, updated: (@Sendable (_ isNotified: Bool) -> Answer)? = nil
    ) async throws -> Answer {
        guard let messages = try await uncancelled({ try await store.settle(job.id, settlement) }) else {
            return try await settledElsewhere(job)
        }
        await hook.reached(.settled)
        outcomes.record(job.id, settlement)
        guard !messages.isEmpty else { return settlement.answer }
        let attempts = await deliverer.attempt(messages)
        let isNotified = attempts.contains { $0.message.content.kind == "notification" && $0.isDelivered }
        let answer = updated?(isNotified) ?? settlement.answer
        do {
            try await uncancelled { try await store.record(attempts, answer: answer) }
        } catch {
            // The payment stands. The outbox says it again, which changes nothing.
            logger.warning(
                "deliveries could not be noted", metadata: ["payment_id": "\(job.id)", "error": "\(error)"])
            return settlement.answer
        }
        await hook.reached(.delivered)
        return answer
    }

    /// The gateway may have charged or not: nobody may say anything before it was asked.
    private func leaveOpen(
        _ job: Job, _ problem: Problem, scenario: String?, _ hop: PaymentEvent
    ) async throws -> Answer {
        try await uncancelled { try await store.leaveOpen(job.id, scenario: scenario, events: [hop]) }
        outcomes.recordUnknown(job.id, scenario: scenario)
        guard acceptsPending() else { return .failure(problem, of: job.id) }
        return .pending(Payment(id: job.id, amount: job.order.amount))
    }

    /// This process stood still for longer than its lease, and another one has settled the payment.
    private func settledElsewhere(_ job: Job) async throws -> Answer {
        if let answer = try await store.answer(of: job.id) { return answer }
        return .failure(.gatewayTimeout, of: job.id)
    }

    /// The store failed in the middle: what the caller can do is ask for the payment's status.
    private func unfinished(_ job: Job, _ error: any Error) -> Problem {
        logger.error("a payment is unfinished", metadata: ["payment_id": "\(job.id)", "error": "\(error)"])
        return .unfinished(
            error, "The payment's outcome could not be stored. Ask for its status.",
            members: ["payment_id": .string(job.id)])
    }

    private static func hop(
        _ name: String, _ detail: String, since start: ContinuousClock.Instant, _ scenario: String? = nil
    ) -> PaymentEvent {
        PaymentEvent(name: name, detail: detail, scenario: scenario, latency: ContinuousClock.now - start)
    }
}

extension Problem {
    fileprivate static let gatewayTimeout = Problem(
        .gatewayTimeout, "Gateway timeout: the outcome is not known yet. Ask for the payment's status.",
        members: ["source": .string("gateway")])

    fileprivate static let interrupted = Problem.retryLater(
        .serviceUnavailable, "The service is shutting down and does not know the outcome yet. Ask for the status.",
        seconds: Answer.retrySeconds)
}
