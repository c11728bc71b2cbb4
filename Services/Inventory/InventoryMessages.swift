import Foundation
import Shared

/// The most units of one reservation or delivery. Far above any use; keeps sums far below what 64 bits hold.
private let quantityRange = 1...1_000_000

/// `POST /reserve`: `{product_id, quantity=1, reservation_key?}`.
struct ReserveRequest: Decodable {
    let productID: String
    let quantity: Int
    let reservationKey: String?

    init(from decoder: any Decoder) throws {
        let fields = try FieldReader(decoder)
        let product = fields.identifier("product_id")
        let quantity = fields.integer("quantity", in: quantityRange, default: 1)
        let key = fields.optionalText("reservation_key", maxLength: 64)
        (productID, self.quantity, reservationKey) = try fields.require(product, quantity, key)
    }
}

/// `POST /restock`: `{product_id, quantity}`.
struct RestockRequest: Decodable {
    let productID: String
    let quantity: Int

    init(from decoder: any Decoder) throws {
        let fields = try FieldReader(decoder)
        let product = fields.identifier("product_id")
        let quantity = fields.integer("quantity", in: quantityRange)
        (productID, self.quantity) = try fields.require(product, quantity)
    }
}

struct ListAnswer: Encodable {
    struct Item: Encodable {
        let id: String
        let name: String
        let stock: Int
        let price: Decimal

        init(_ product: Product) {
            id = product.id
            name = product.name
            stock = product.stock
            price = product.price.decimal
        }
    }

    let products: [Item]
    let timestamp = UnixTime.now
}

struct ProductAnswer: Encodable {
    let productID: String
    let name: String
    let available: Bool
    let stockCount: Int
    let price: Decimal
    let timestamp = UnixTime.now

    init(_ product: Product) {
        productID = product.id
        name = product.name
        available = product.stock > 0
        stockCount = product.stock
        price = product.price.decimal
    }

    enum CodingKeys: String, CodingKey {
        case name, available, price, timestamp
        case productID = "product_id"
        case stockCount = "stock_count"
    }
}

/// A key that was only blocked has no product.
struct ReservationAnswer: Encodable {
    let reservationID: String
    let reservationKey: String
    let productID: String?
    let quantity: Int
    let status: String
    let expiresAt: UnixTime
    let timestamp = UnixTime.now

    init(_ reservation: Reservation) {
        reservationID = reservation.id
        reservationKey = reservation.key
        productID = reservation.productID
        quantity = reservation.quantity
        status = reservation.state.rawValue
        expiresAt = reservation.expiresAt
    }

    enum CodingKeys: String, CodingKey {
        case quantity, status, timestamp
        case reservationID = "reservation_id"
        case reservationKey = "reservation_key"
        case productID = "product_id"
        case expiresAt = "expires_at"
    }
}

struct RestockAnswer: Encodable {
    let productID: String
    let quantity: Int
    let stockCount: Int
    let timestamp = UnixTime.now

    init(_ product: Product, quantity: Int) {
        productID = product.id
        self.quantity = quantity
        stockCount = product.stock
    }

    enum CodingKeys: String, CodingKey {
        case quantity, timestamp
        case productID = "product_id"
        case stockCount = "stock_count"
    }
}
