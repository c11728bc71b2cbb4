import Gateway
import Shared

/// A way to the gateway on which something is wrong.
struct FaultyAcquirer: Acquirer {
    let base: any Acquirer
    var defect: Defect?
    /// Charges are made, and no answer about them arrives.
    var isSilent = false

    func authorise(_ charge: ChargeRequest) async throws -> ChargeResult {
        let result = try await base.authorise(defect == .centsByFloatingPoint ? Self.inFloatingPoint(charge) : charge)
        return isSilent ? ChargeResult(.noAnswer) : result
    }

    func charge(of paymentID: String) async throws -> GatewayCharge? {
        let charge = try await base.charge(of: paymentID)
        if defect == .reconcilerChargesAgain, let charge, charge.state == .approved {
            _ = try await base.authorise(
                ChargeRequest(
                    paymentID: "\(paymentID)-again", idempotencyKey: charge.idempotencyKey, amount: charge.amount,
                    instrument: .test(.approved)))
        }
        return charge
    }

    func refund(_ refundID: String, of paymentID: String, amount: Money) async throws -> Bool {
        if defect == .refundGivenTwice {
            _ = try await base.refund("\(refundID)-again", of: paymentID, amount: amount)
        }
        return try await base.refund(refundID, of: paymentID, amount: amount)
    }

    func charges(ofPayments paymentIDs: [String]) async throws -> [GatewayCharge] {
        try await base.charges(ofPayments: paymentIDs)
    }

    func charges(afterPayment paymentID: String, limit: Int) async throws -> [GatewayCharge] {
        try await base.charges(afterPayment: paymentID, limit: limit)
    }

    private static func inFloatingPoint(_ charge: ChargeRequest) -> ChargeRequest {
        let amount = charge.amount
        let cents = Int64((Double(amount.text) ?? 0) * 100)
        return ChargeRequest(
            paymentID: charge.paymentID, idempotencyKey: charge.idempotencyKey,
            amount: Money(minorUnits: cents, currency: amount.currency), instrument: charge.instrument)
    }
}
