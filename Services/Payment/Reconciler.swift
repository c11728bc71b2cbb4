import Gateway
import HTTPTypes
import Logging
import Shared

/// Ends what somebody began and did not end, by asking the gateway what became of the charge.
///
/// ```
///   pending, processing without an owner --> gateway: charge? --approved--> completed, confirm, notification
///                                                             --declined--> declined, release
///                                                             --none------> failed, release
/// ```
///
/// It never charges. Where there was no charge, asking also closes the payment at the gateway, so that an owner who
/// only stood still cannot charge it afterwards.
struct Reconciler: Sendable {
    let store: PaymentStore
    let acquirer: any Acquirer
    let deliverer: Deliverer
    let outcomes: PaymentOutcomes
    let hook: StepHook
    let logger: Logger

    /// The most payments that one round takes, all at once.
    static let batch = 16

    /// One round of the worker.
    ///
    /// - Returns: how many payments were settled.
    func settleAbandoned() async throws -> Int {
        let payments = try await store.claimUnsettled(limit: Self.batch)
        return await withTaskGroup(of: Bool.self) { group in
            for payment in payments { group.addTask { await settle(payment) } }
            return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
    }

    private func settle(_ unsettled: UnsettledPayment) async -> Bool {
        let id = unsettled.payment.id
        do {
            await hook.reached(.reconciling)
            let start = ContinuousClock.now
            let charge = try await acquirer.charge(of: id)
            let asked = PaymentEvent(
                name: "gateway", detail: "asked what became of it: \(charge?.state.text ?? "no charge")",
                scenario: charge?.scenario?.rawValue, latency: ContinuousClock.now - start)
            let settlement = Self.settlement(of: unsettled, charge, asked)
            guard let messages = try await uncancelled({ try await store.settle(id, settlement) }) else { return true }
            await hook.reached(.reconciled)
            outcomes.record(id, settlement)
            let attempts = await deliverer.attempt(messages)
            try await uncancelled { try await store.record(attempts) }
            return true
        } catch {
            logger.warning(
                "a payment could not be settled", metadata: ["payment_id": "\(id)", "error": "\(error)"])
            // Where even this fails, the lease ends by itself.
            try? await store.putOff(unsettled)
            return false
        }
    }

    private static func settlement(
        of unsettled: UnsettledPayment, _ charge: GatewayCharge?, _ asked: PaymentEvent
    ) -> Settlement {
        let id = unsettled.payment.id
        let scenario = charge?.scenario?.rawValue ?? unsettled.scenario
        switch charge?.state {
        case .approved:
            // From the wall clock: who began it may have been another process.
            let age = UnixTime.now.milliseconds - unsettled.createdAt.milliseconds
            return Settlement(
                event: .approved, scenario: scenario,
                answer: .success(
                    unsettled.payment, check: unsettled.inventoryCheck, reservationID: unsettled.reservationID ?? "",
                    took: .milliseconds(max(0, age)), isNotified: false),
                releasesStock: false, events: [asked])
        case .declined(let code):
            return Settlement(
                event: .declined(code), scenario: scenario, answer: .failure(.declined(code), of: id),
                releasesStock: true, events: [asked])
        case nil:
            let problem = Problem(
                .badGateway, "The payment could not be finished. Nothing was charged: pay again with a new key.",
                members: ["source": .string("gateway")])
            return Settlement(
                event: .failed, scenario: scenario, answer: .failure(problem, of: id), releasesStock: true,
                events: [asked])
        }
    }
}

extension GatewayCharge.State {
    /// For a payment's history.
    var text: String {
        switch self {
        case .approved: "approved"
        case .declined(let code): "declined: \(code.rawValue)"
        }
    }
}
