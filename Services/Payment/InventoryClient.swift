import HTTPTypes
import Shared

/// The inventory service as a payment needs it.
struct InventoryClient: Sendable {
    let downstream: Downstream
    /// The time limit of one confirmation or release.
    let settleTimeout: Duration

    /// What `GET /check/<id>` says of a product.
    ///
    /// - Throws: ``DownstreamError``.
    func check(_ productID: String, timeout: Duration) async throws -> JSONValue {
        try await downstream.call(.get, "/check/\(URLEscape.pathSegment(productID))", timeout: timeout)
    }

    /// Looks at the product, then reserves it under the payment's id.
    ///
    /// - Parameter timeout: for both steps together.
    /// - Throws: ``InventoryFailure``.
    func takeStock(_ order: PaymentOrder, paymentID: String, timeout: Duration) async throws -> TakenStock {
        let deadline = ContinuousClock.now.advanced(by: timeout)
        let check: JSONValue
        do {
            check = try await self.check(order.productID, timeout: timeout)
        } catch let error as DownstreamError {
            throw InventoryFailure(error, mayHoldStock: false)
        }
        let settings = downstream.serviceGuard.settings
        do {
            let reservation = try await downstream.call(
                .post, "/reserve",
                body: [
                    "product_id": .string(order.productID), "quantity": .integer(Int64(order.quantity)),
                    "reservation_key": .string(paymentID),
                ], key: paymentID, timeout: ContinuousClock.now.duration(to: deadline), settings: settings)
            guard let id = reservation["reservation_id"]?.text else { throw DownstreamError.unreadable }
            return TakenStock(check: check, reservationID: id)
        } catch let error as DownstreamError {
            throw InventoryFailure(error, mayHoldStock: true, mayHaveBeenRepeated: settings.repeatsCalls)
        }
    }

    func confirm(paymentID: String) async throws { try await settle(paymentID, "confirm") }

    /// Gives the stock back. Where the reservation never arrived, this blocks it: it may still be on its way.
    func release(paymentID: String) async throws { try await settle(paymentID, "release") }

    private func settle(_ paymentID: String, _ verb: String) async throws {
        let id = URLEscape.pathSegment(paymentID)
        _ = try await downstream.call(
            .post, "/reservations/\(id)/\(verb)", key: paymentID, timeout: settleTimeout)
    }
}

/// Stock that is reserved for a payment.
struct TakenStock: Sendable {
    /// The product as inventory described it.
    let check: JSONValue
    let reservationID: String

    /// For the store.
    var checkText: String {
        guard case .object(let members) = check else { return "{}" }
        return canonicalJSON(members)
    }
}

/// Why a payment got no stock.
struct InventoryFailure: Error, Equatable {
    enum Reason: Equatable {
        case unknownProduct
        case outOfStock(available: Int64)
        case timedOut
        /// Not reachable, 5xx, or an answer that makes no sense.
        case unavailable
    }

    let reason: Reason
    /// Whether stock may be reserved all the same: the request was sent, and no refusal came back.
    let mayHoldStock: Bool

    /// - Parameter mayHaveBeenRepeated: whether the refusal may be the answer to one of several attempts. Then another
    ///   of them, whose answer nobody waited for, may still take stock.
    init(_ error: DownstreamError, mayHoldStock: Bool, mayHaveBeenRepeated: Bool = false) {
        switch error {
        case .status(404, _): reason = .unknownProduct
        case .status(409, let document):
            if case .integer(let available) = document?["available"] {
                reason = .outOfStock(available: available)
            } else {
                reason = .unavailable
            }
        case .timedOut: reason = .timedOut
        case .unreachable, .unreadable, .leftAlone, .status: reason = .unavailable
        }
        switch reason {
        case .unknownProduct, .outOfStock: self.mayHoldStock = mayHoldStock && mayHaveBeenRepeated
        case .timedOut, .unavailable: self.mayHoldStock = mayHoldStock
        }
    }

    var problem: Problem {
        let source: [String: JSONValue] = ["source": .string("inventory")]
        switch reason {
        case .unknownProduct:
            return .notFound("There is no such product.")
        case .outOfStock(let available):
            return .conflict("There is not enough stock.", members: ["available": .integer(available)])
        case .timedOut:
            return Problem(
                .gatewayTimeout, "The inventory service did not answer in time. Nothing was charged.", members: source)
        case .unavailable:
            return Problem(
                .badGateway, "The inventory service is not available. Nothing was charged.", members: source)
        }
    }
}
