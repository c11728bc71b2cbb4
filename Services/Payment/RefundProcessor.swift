import Gateway
import Logging
import Shared

/// Gives money back through the gateway, under the refund's own id: however often it is asked, it gives once.
struct RefundProcessor: Sendable {
    let store: PaymentStore
    let acquirer: any Acquirer
    let hook: StepHook
    let logger: Logger

    /// The most refunds that one round of the worker takes.
    static let batch = 16

    /// Gives back `amount`, or what is left where it is nil.
    func refund(_ paymentID: String, amount: Money?, key: IdempotencyKey?) async throws -> RefundOutcome {
        switch try await store.beginRefund(paymentID, amount: amount, key: key) {
        case .ended(let outcome): return outcome
        case .begun(let refund):
            await hook.reached(.refundBegun)
            do { return try await uncancelled { try await finish(refund) } } catch {
                logger.error("a refund is unfinished", metadata: ["refund_id": "\(refund.id)", "error": "\(error)"])
                throw Problem.unfinished(
                    error, "The refund's outcome could not be stored. Ask for the payment's status.",
                    members: ["refund_id": .string(refund.id)])
            }
        }
    }

    /// One round of the worker: ends what others have begun.
    ///
    /// - Returns: how many refunds were ended.
    func finishAbandoned() async throws -> Int {
        var count = 0
        for refund in try await store.claimRefunds(limit: Self.batch) {
            do {
                _ = try await uncancelled { try await finish(refund) }
                count += 1
            } catch {
                // It is due again when the lease of this claim is over.
                logger.warning(
                    "a refund could not be ended", metadata: ["refund_id": "\(refund.id)", "error": "\(error)"])
            }
        }
        return count
    }

    private func finish(_ refund: Refund) async throws -> RefundOutcome {
        let isGiven = try await acquirer.refund(refund.id, of: refund.paymentID, amount: refund.amount)
        await hook.reached(.refundGiven)
        let outcome = try await store.endRefund(refund, isGiven: isGiven)
        await hook.reached(.refundDone)
        return outcome
    }
}
