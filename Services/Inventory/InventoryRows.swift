import Shared

/// A product as customers see it.
struct Product: Sendable, Equatable {
    let id: String
    let name: String
    let price: Money
    /// What can be reserved: on hand less reserved.
    let stock: Int

    /// `$1` is the time now: a reservation that is over no longer holds its stock.
    static let select = """
        SELECT p.id, p.name, p.price_minor, p.currency,
            p.on_hand - p.reserved + CAST(COALESCE((
                SELECT SUM(r.quantity) FROM reservation r
                WHERE r.product_id = p.id AND r.state = 'reserved' AND r.expires_at <= $1), 0) AS BIGINT) AS stock
        FROM product p
        """

    init(_ row: SQLRow) throws {
        guard let currency = Currency(code: try row.text("currency")) else {
            throw StoreError.unexpectedValue(column: "currency")
        }
        id = try row.text("id")
        name = try row.text("name")
        price = Money(minorUnits: try row.integer("price_minor"), currency: currency)
        stock = try row.int("stock")
    }
}

extension Reservation {
    init(_ row: SQLRow) throws {
        guard let state = State(rawValue: try row.text("state")) else {
            throw StoreError.unexpectedValue(column: "state")
        }
        self.init(
            id: try row.text("id"), key: try row.text("reservation_key"), productID: try row.optionalText("product_id"),
            quantity: try row.int("quantity"), state: state,
            expiresAt: UnixTime(milliseconds: try row.integer("expires_at")))
    }
}

/// The steps of which the store's transactions are made.
extension InventoryStore {
    static func product(_ id: String, at now: UnixTime, on connection: any SQLConnection) throws -> Product? {
        try connection.query(Product.select + " WHERE p.id = $2", [.integer(now.milliseconds), .text(id)])
            .first.map(Product.init)
    }

    /// Makes this transaction the only one that changes a product's stock or its reservations: whoever does locks the
    /// product first.
    static func lock(product id: String?, on connection: any SQLConnection) throws {
        guard let id else { return }
        _ = try connection.query("SELECT id FROM product WHERE id = $1 FOR UPDATE", [.text(id)])
    }

    static func reservation(key: String, on connection: any SQLConnection) throws -> Reservation? {
        try connection.query("SELECT * FROM reservation WHERE reservation_key = $1", [.text(key)])
            .first.map(Reservation.init)
    }

    /// An id goes before a key of the same text, so that no caller can hide a reservation behind a key.
    static func reservation(idOrKey: String, on connection: any SQLConnection) throws -> Reservation? {
        let byID = try connection.query("SELECT * FROM reservation WHERE id = $1", [.text(idOrKey)])
        return try byID.first.map(Reservation.init) ?? reservation(key: idOrKey, on: connection)
    }

    /// A reservation with the lock of its product.
    static func lockedReservation(idOrKey: String, on connection: any SQLConnection) throws -> Reservation? {
        guard let found = try reservation(idOrKey: idOrKey, on: connection) else { return nil }
        try lock(product: found.productID, on: connection)
        // It may have changed until the lock was free.
        return try reservation(idOrKey: idOrKey, on: connection)
    }

    static func insert(_ reservation: Reservation, at now: UnixTime, on connection: any SQLConnection) throws {
        try connection.execute(
            """
            INSERT INTO reservation
                (id, reservation_key, product_id, quantity, state, expires_at, created_at, updated_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $7)
            """,
            [
                .text(reservation.id), .text(reservation.key), .optional(reservation.productID),
                .integer(reservation.quantity), .text(reservation.state.rawValue),
                .integer(reservation.expiresAt.milliseconds), .integer(now.milliseconds),
            ])
    }

    /// What a key that is known already means for a new wish with it.
    static func outcome(of wanted: Reservation, meeting current: Reservation) -> ReserveOutcome {
        guard let productID = current.productID else { return .keyIsOver(current.state) }
        guard productID == wanted.productID, current.quantity == wanted.quantity else { return .keyIsTaken }
        switch current.state {
        case .reserved, .confirmed: return .reserved(current)
        case .released, .expired: return .keyIsOver(current.state)
        }
    }

    static func expireIfOverdue(
        _ reservation: Reservation, at now: UnixTime, on connection: any SQLConnection
    ) throws -> Reservation {
        guard reservation.isOverdue(at: now) else { return reservation }
        var expired = reservation
        try apply(expired.event(.expire, free: 0), to: expired, at: now, on: connection)
        return expired
    }

    /// Gives back what overdue reservations of a product still hold.
    static func expireOverdue(of productID: String, at now: UnixTime, on connection: any SQLConnection) throws {
        let overdue = try connection.query(
            """
            UPDATE reservation SET state = 'expired', updated_at = $2
            WHERE product_id = $1 AND state = 'reserved' AND expires_at <= $2 RETURNING quantity
            """, [.text(productID), .integer(now.milliseconds)])
        let quantity = try overdue.reduce(0) { try $0 + $1.int("quantity") }
        guard quantity > 0 else { return }
        try connection.execute(
            "UPDATE product SET reserved = reserved - $2 WHERE id = $1", [.text(productID), .integer(quantity)])
    }

    /// What a reservation that has expired could take again: units of its product that nobody has reserved.
    static func free(for reservation: Reservation, at now: UnixTime, on connection: any SQLConnection) throws -> Int {
        guard reservation.state == .expired, let productID = reservation.productID else { return 0 }
        // What others let expire is free too, and only what is written as given back can leave the shelf.
        try expireOverdue(of: productID, at: now, on: connection)
        return try product(productID, at: now, on: connection)?.stock ?? 0
    }

    /// Writes a reservation's new state and moves the stock as the action says.
    static func apply(
        _ action: Reservation.Action, to reservation: Reservation, at now: UnixTime, on connection: any SQLConnection
    ) throws {
        let change: String?
        switch action {
        case .none, .refuse: return
        case .note: change = nil
        case .sell: change = "reserved = reserved - $2, on_hand = on_hand - $2, sold = sold + $2"
        case .sellFromShelf: change = "on_hand = on_hand - $2, sold = sold + $2"
        case .giveBack: change = "reserved = reserved - $2"
        }
        try connection.execute(
            "UPDATE reservation SET state = $2, updated_at = $3 WHERE id = $1",
            [.text(reservation.id), .text(reservation.state.rawValue), .integer(now.milliseconds)])
        guard let change else { return }
        try connection.execute(
            "UPDATE product SET \(change) WHERE id = $1",
            [.optional(reservation.productID), .integer(reservation.quantity)])
    }
}
