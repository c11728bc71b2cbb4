import HTTPTypes
import Hummingbird
import Shared

/// The endpoints of the payment service.
struct PaymentController: Sendable {
    let store: PaymentStore
    let processor: PaymentProcessor
    let refunds: RefundProcessor
    let chain: Chain
    let audit: Audit

    var routes: [Route] {
        [
            .post("/payment/process", process),
            .get("/payment/status/{id}", status),
            .post("/payment/refund", refund),
            .post("/payment/validate", validate),
            .post("/payment/chain", runChain),
            .get("/payment/events/{id}", events),
            .get("/payment/audit", readAudit),
            .get("/payment/backlog") { _, _ in try .json(await store.backlog()) },
        ]
    }

    @Sendable private func process(_ request: Request, _ context: AppContext) async throws -> Response {
        let key = try request.idempotencyKey()
        let (answer, isReplay) = try await processor.process(request.json(), keyName: key)
        return answer.response(isReplay: isReplay)
    }

    @Sendable private func status(_ request: Request, _ context: AppContext) async throws -> Response {
        guard let (payment, updatedAt) = try await store.payment(context.pathParameter("id")) else {
            throw Problem.notFound("There is no such payment.")
        }
        return try .json(StatusAnswer(payment, updatedAt: updatedAt))
    }

    @Sendable private func refund(_ request: Request, _ context: AppContext) async throws -> Response {
        let keyName = try request.idempotencyKey()
        let wish: RefundRequest = try await request.json()
        guard let payment = try await store.payment(wish.paymentID)?.payment else { throw unknownPayment }
        let amount = try wish.amountText.map { try Self.amount($0, payment.amount.currency) }
        let key = keyName.map { IdempotencyKey(name: $0, requestText: wish.canonicalText(amount)) }
        switch try await refunds.refund(wish.paymentID, amount: amount, key: key) {
        case .refunded(let refund, let isReplay):
            return try .json(
                RefundAnswer(refund), headers: isReplay ? [.idempotentReplayed: "true"] : [:])
        case .unknownPayment:
            throw unknownPayment
        case .notRefundable(let status):
            throw Problem.conflict(
                "A payment that is \(status.rawValue) cannot be refunded.",
                members: ["payment_status": .string(status.rawValue)])
        case .moreThanIsLeft(let left):
            throw Problem.conflict(
                "Only \(left.text) \(left.currency.code) can still be refunded.",
                members: ["available": .decimal(left.decimal)])
        case .keyIsTaken:
            throw Problem.invalid("Idempotency-Key", "was used for another request: use a new key")
        case .running(let refundID):
            throw Problem.retryLater(
                .conflict, "The outcome of the first request with this Idempotency-Key is not known yet.", seconds: 1,
                members: ["refund_id": .string(refundID)])
        case .refusedByGateway:
            throw Problem.conflict("The gateway refuses the refund.", members: ["source": .string("gateway")])
        }
    }

    @Sendable private func validate(_ request: Request, _ context: AppContext) async throws -> Response {
        let wish: ValidateRequest = try await request.json()
        return try .json(ValidateAnswer(wish.card))
    }

    @Sendable private func runChain(_ request: Request, _ context: AppContext) async throws -> Response {
        let wish: ChainRequest = try await request.json()
        let report = try await chain.run(productID: wish.productID)
        if let problem = report.problem { throw problem }
        return try .json(report.members)
    }

    @Sendable private func events(_ request: Request, _ context: AppContext) async throws -> Response {
        let id = try context.pathParameter("id")
        guard let payment = try await store.payment(id)?.payment else { throw unknownPayment }
        let events = try await store.events(of: id)
        return try .json([
            "payment_id": JSONValue.string(id), "status": .string(payment.status.rawValue),
            "events": .array(events.map(\.document)),
        ])
    }

    @Sendable private func readAudit(_ request: Request, _ context: AppContext) async throws -> Response {
        let limit = try request.queryInteger("limit", in: Audit.limits, default: Audit.defaultLimit)
        guard let cursor = Audit.Cursor(request.queryParameter("after") ?? "") else {
            throw Problem.invalid("after", "must be `next` of the page before")
        }
        return try .json(await audit.page(after: cursor, limit: limit))
    }

    private var unknownPayment: Problem { .notFound("There is no such payment.") }

    private static func amount(_ text: String, _ currency: Currency) throws -> Money {
        do {
            return try Money(positive: text, currency: currency)
        } catch {
            throw Problem.invalid("amount", error.message(in: currency))
        }
    }
}

extension Request {
    /// The header `Idempotency-Key`: 1 to 255 printable ASCII characters without a card number, or nil where there is
    /// none.
    fileprivate func idempotencyKey() throws -> String? {
        guard let key = headers[.idempotencyKey] else { return nil }
        guard (1...255).contains(key.utf8.count), key.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) else {
            throw Problem.invalid("Idempotency-Key", "must have 1 to 255 printable characters")
        }
        guard !CardNumbers.areIn(key) else { throw Problem.invalid("Idempotency-Key", CardNumbers.refusal) }
        return key
    }
}
