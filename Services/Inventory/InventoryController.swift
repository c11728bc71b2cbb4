import Foundation
import HTTPTypes
import Hummingbird
import Shared

/// The endpoints of the inventory service.
struct InventoryController: Sendable {
    let store: InventoryStore
    let warehouse: Warehouse

    var routes: [Route] {
        [
            .get("/list", list),
            .get("/check/{product_id}", check),
            .post("/reserve", reserve),
            .post("/reservations/{id}/confirm") { try await settle($0, $1, .confirm) },
            .post("/reservations/{id}/release") { try await settle($0, $1, .release) },
            .post("/restock", restock),
            .get("/audit", audit),
        ]
    }

    @Sendable private func list(_ request: Request, _ context: AppContext) async throws -> Response {
        let products = try await store.products().map(ListAnswer.Item.init)
        return try .json(ListAnswer(products: products))
    }

    @Sendable private func check(_ request: Request, _ context: AppContext) async throws -> Response {
        let id = context.possibleID("product_id")
        guard let id, let product = try await warehouse.visit({ try await store.product(id) }) else {
            let asked = id ?? context.rawPathParameter("product_id")
            throw Problem(
                .notFound, "There is no such product.",
                members: ["product_id": .string(asked), "available": .bool(false)])
        }
        return try .json(ProductAnswer(product))
    }

    @Sendable private func reserve(_ request: Request, _ context: AppContext) async throws -> Response {
        let wish: ReserveRequest = try await request.json()
        let outcome = try await warehouse.visit {
            try await store.reserve(productID: wish.productID, quantity: wish.quantity, key: wish.reservationKey)
        }
        switch outcome {
        case .reserved(let reservation):
            return try .json(ReservationAnswer(reservation))
        case .unknownProduct:
            throw Problem(
                .notFound, "There is no such product.",
                members: ["product_id": .string(wish.productID), "available": .integer(0)])
        case .outOfStock(let available):
            throw Problem.conflict("There is not enough stock.", members: ["available": .integer(Int64(available))])
        case .keyIsOver(let state):
            throw Problem.conflict(
                "The reservation with this key is \(state.rawValue). Reserve with a new key.",
                members: ["reservation_status": .string(state.rawValue)])
        case .keyIsTaken:
            throw Problem.invalid("reservation_key", "belongs to another reservation: use a new key")
        }
    }

    private func settle(
        _ request: Request, _ context: AppContext, _ event: Reservation.Event
    ) async throws -> Response {
        let id = try context.pathParameter("id")
        switch try await warehouse.visit({ try await store.settle(id, event) }) {
        case .settled(let reservation):
            return try .json(ReservationAnswer(reservation))
        case .refused(let reservation, let free) where reservation.state == .expired:
            throw Problem.conflict(
                "The reservation has expired, and there is not enough stock to sell it now. Try again after a delivery.",
                members: [
                    "reservation_status": .string(reservation.state.rawValue), "available": .integer(Int64(free)),
                ])
        case .refused(let reservation, _):
            throw Problem.conflict(
                "The reservation is \(reservation.state.rawValue) already.",
                members: ["reservation_status": .string(reservation.state.rawValue)])
        case .unknown:
            throw Problem.notFound("There is no such reservation.")
        }
    }

    @Sendable private func restock(_ request: Request, _ context: AppContext) async throws -> Response {
        let delivery: RestockRequest = try await request.json()
        guard let product = try await store.restock(delivery.productID, quantity: delivery.quantity) else {
            throw Problem(
                .notFound, "There is no such product.", members: ["product_id": .string(delivery.productID)])
        }
        return try .json(RestockAnswer(product, quantity: delivery.quantity))
    }
}
