import Shared

/// The shelf and its reservations. Every method is one transaction.
///
/// ```
///   product.on_hand    what is on the shelf, promised or not
///          .reserved   what of it is promised            stock that can be reserved = on_hand - reserved
///          .sold       what has left                     on_hand + sold = initial + restocked
/// ```
///
/// A reservation whose time is over gives its stock back inside the next transaction that needs to know; reads
/// count it as given back already. So no clock and no worker stands between a customer and free stock.
struct InventoryStore: Sendable {
    let database: any Database
    let reservationSeconds: Int
    /// The wall clock, which decides what is overdue.
    let clock: @Sendable () -> UnixTime

    static let migrations = [
        Migration("v1 products and reservations", schema),
        Migration("v2 the first products", seed),
    ]

    /// The invariants are the schema's: a bug in the code above it cannot sell what is not there.
    private static let schema = """
        CREATE TABLE product (
            id TEXT PRIMARY KEY NOT NULL,
            name TEXT NOT NULL,
            price_minor BIGINT NOT NULL CHECK (price_minor > 0),
            currency TEXT NOT NULL,
            initial BIGINT NOT NULL CHECK (initial >= 0),
            restocked BIGINT NOT NULL DEFAULT 0 CHECK (restocked >= 0),
            on_hand BIGINT NOT NULL CHECK (on_hand >= 0),
            reserved BIGINT NOT NULL DEFAULT 0 CHECK (reserved >= 0),
            sold BIGINT NOT NULL DEFAULT 0 CHECK (sold >= 0),
            CHECK (reserved <= on_hand),
            CHECK (on_hand + sold = initial + restocked)
        );
        CREATE TABLE reservation (
            id TEXT PRIMARY KEY NOT NULL,
            reservation_key TEXT NOT NULL UNIQUE,
            product_id TEXT REFERENCES product (id),
            quantity BIGINT NOT NULL,
            state TEXT NOT NULL CHECK (state IN ('reserved', 'confirmed', 'released', 'expired')),
            expires_at BIGINT NOT NULL,
            created_at BIGINT NOT NULL,
            updated_at BIGINT NOT NULL,
            CHECK ((product_id IS NOT NULL AND quantity > 0)
                OR (product_id IS NULL AND quantity = 0 AND state = 'released'))
        );
        CREATE INDEX reservation_waiting ON reservation (product_id, expires_at) WHERE state = 'reserved';
        """

    private static let seed = """
        INSERT INTO product (id, name, price_minor, currency, initial, on_hand) VALUES
            ('1', 'Laptop', 1500000, 'USD', 50, 50),
            ('2', 'Phone', 800000, 'USD', 100, 100),
            ('3', 'Tablet', 500000, 'USD', 30, 30),
            ('4', 'Headphones', 50000, 'USD', 200, 200),
            ('5', 'Charger', 15000, 'USD', 500, 500);
        """

    func products() async throws -> [Product] {
        let now = clock()
        return try await database.read { connection in
            try connection.query(Product.select + " ORDER BY p.id", [.integer(now.milliseconds)])
                .map(Product.init)
        }
    }

    func product(_ id: String) async throws -> Product? {
        let now = clock()
        return try await database.read { try Self.product(id, at: now, on: $0) }
    }

    /// Puts goods on the shelf.
    ///
    /// - Returns: the product as it is now, or nil when there is none.
    func restock(_ productID: String, quantity: Int) async throws -> Product? {
        let now = clock()
        return try await database.write { connection in
            try connection.execute(
                "UPDATE product SET on_hand = on_hand + $2, restocked = restocked + $2 WHERE id = $1",
                [.text(productID), .integer(quantity)])
            return try Self.product(productID, at: now, on: connection)
        }
    }

    /// Promises stock to whoever holds the key.
    func reserve(productID: String, quantity: Int, key: String?) async throws -> ReserveOutcome {
        let now = clock()
        let id = Identifier.make(prefix: "RES")
        let wanted = Reservation(
            id: id, key: key ?? id, productID: productID, quantity: quantity, state: .reserved,
            expiresAt: now.advanced(bySeconds: reservationSeconds))
        return try await database.write { connection in
            try Self.lock(product: productID, on: connection)
            if let earlier = try Self.reservation(key: wanted.key, on: connection) {
                let isSame = earlier.productID == productID
                let current = isSame ? try Self.expireIfOverdue(earlier, at: now, on: connection) : earlier
                return Self.outcome(of: wanted, meeting: current)
            }
            try Self.expireOverdue(of: productID, at: now, on: connection)
            guard let product = try Self.product(productID, at: now, on: connection) else { return .unknownProduct }
            let taken = try connection.execute(
                "UPDATE product SET reserved = reserved + $2 WHERE id = $1 AND on_hand - reserved >= $2",
                [.text(productID), .integer(quantity)])
            guard taken == 1 else { return .outOfStock(available: product.stock) }
            try Self.insert(wanted, at: now, on: connection)
            return .reserved(wanted)
        }
    }

    /// Confirms or releases by id or by key. Releasing a key that nobody knows blocks it: the reserve that it
    /// answers may still be on its way. Confirming what has expired sells what is still free, or nothing.
    func settle(_ idOrKey: String, _ event: Reservation.Event) async throws -> SettleOutcome {
        let now = clock()
        return try await database.write { connection in
            guard let found = try Self.lockedReservation(idOrKey: idOrKey, on: connection) else {
                guard event == .release else { return .unknown }
                let blocked = Reservation(
                    id: Identifier.make(prefix: "RES"), key: idOrKey, productID: nil, quantity: 0, state: .released,
                    expiresAt: now)
                try Self.insert(blocked, at: now, on: connection)
                return .settled(blocked)
            }
            var reservation = try Self.expireIfOverdue(found, at: now, on: connection)
            let free = try Self.free(for: reservation, at: now, on: connection)
            let action = reservation.event(event, free: free)
            if action == .refuse { return .refused(reservation, free: free) }
            try Self.apply(action, to: reservation, at: now, on: connection)
            return .settled(reservation)
        }
    }
}

/// What came of an attempt to reserve.
enum ReserveOutcome: Sendable, Equatable {
    case reserved(Reservation)
    case unknownProduct
    case outOfStock(available: Int)
    /// The key belongs to a reservation that is over, or was blocked by a release.
    case keyIsOver(Reservation.State)
    /// The key belongs to a reservation of something else.
    case keyIsTaken
}

/// What came of a confirmation or a release.
enum SettleOutcome: Sendable, Equatable {
    case settled(Reservation)
    /// With the units of its product that nobody has reserved; 0 unless it has expired.
    case refused(Reservation, free: Int)
    case unknown
}
