import Hummingbird
import Shared

/// `GET /audit?after=&limit=`: the shelf and every reservation ever made, for whoever checks the books.
///
/// ```
///   first page: totals + reservations --next--> reservations --next--> ... --> next: null
/// ```
///
/// Pages are in the order of the reservations' ids, which never change, so nothing that existed when the first page was
/// asked for is missed or told twice, whatever happens meanwhile.
struct InventoryAudit: Encodable, Sendable, Equatable {
    /// A product's stock. What is promised is not on hand here: `on_hand + reserved + sold = initial + restocked`.
    struct Total: Encodable, Sendable, Equatable {
        let productID: String
        let initial: Int
        let restocked: Int
        let onHand: Int
        let reserved: Int
        let sold: Int

        enum CodingKeys: String, CodingKey {
            case initial, restocked, reserved, sold
            case productID = "product_id"
            case onHand = "on_hand"
        }
    }

    struct Entry: Encodable, Sendable, Equatable {
        let reservationID: String
        let key: String
        /// Nil where the key was released before anyone reserved with it.
        let productID: String?
        let quantity: Int
        let state: String

        enum CodingKeys: String, CodingKey {
            case key, quantity, state
            case reservationID = "reservation_id"
            case productID = "product_id"
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(reservationID, forKey: .reservationID)
            try container.encode(key, forKey: .key)
            try container.encode(productID, forKey: .productID)
            try container.encode(quantity, forKey: .quantity)
            try container.encode(state, forKey: .state)
        }
    }

    /// On the first page only.
    let totals: [Total]
    let reservations: [Entry]
    /// What to pass as `after` for the next page; nil on the last.
    let next: String?

    enum CodingKeys: String, CodingKey {
        case totals, reservations, next
    }

    /// Written by hand for its null: a reader tells the end from a page that was cut off.
    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(totals, forKey: .totals)
        try container.encode(reservations, forKey: .reservations)
        try container.encode(next, forKey: .next)
    }
}

extension InventoryController {
    @Sendable func audit(_ request: Request, _ context: AppContext) async throws -> Response {
        let limit = try request.queryInteger("limit", in: 1...500, default: 200)
        let after = request.queryParameter("after")
        guard (after?.utf8.count ?? 0) <= 64, after?.utf8.contains(0) != true else {
            throw Problem.invalid("after", "must be the `next` of an earlier page")
        }
        return try .json(try await store.audit(after: after, limit: limit))
    }
}

extension InventoryStore {
    /// One page of the books. An overdue reservation is told as expired, as every other read counts it.
    ///
    /// - Parameters:
    ///   - after: the last reservation of the page before; nil for the first page.
    ///   - limit: reservations on the page.
    func audit(after: String?, limit: Int) async throws -> InventoryAudit {
        let now = clock()
        return try await database.read { connection in
            let rows = try connection.query(
                "SELECT * FROM reservation WHERE id > $1 ORDER BY id LIMIT $2",
                [.text(after ?? ""), .integer(limit + 1)]
            ).map(Reservation.init)
            let page = rows.prefix(limit)
            return InventoryAudit(
                totals: after == nil ? try Self.totals(at: now, on: connection) : [],
                reservations: page.map { InventoryAudit.Entry($0, at: now) },
                next: rows.count > limit ? page.last?.id : nil)
        }
    }

    private static func totals(at now: UnixTime, on connection: any SQLConnection) throws -> [InventoryAudit.Total] {
        try connection.query(
            """
            SELECT p.id, p.initial, p.restocked, p.on_hand, p.reserved, p.sold,
                CAST(COALESCE((
                    SELECT SUM(r.quantity) FROM reservation r
                    WHERE r.product_id = p.id AND r.state = 'reserved' AND r.expires_at <= $1), 0) AS BIGINT) AS overdue
            FROM product p ORDER BY p.id
            """, [.integer(now.milliseconds)]
        ).map { row in
            let reserved = try row.int("reserved") - row.int("overdue")
            return InventoryAudit.Total(
                productID: try row.text("id"), initial: try row.int("initial"), restocked: try row.int("restocked"),
                onHand: try row.int("on_hand") - reserved, reserved: reserved, sold: try row.int("sold"))
        }
    }
}

extension InventoryAudit.Entry {
    init(_ reservation: Reservation, at now: UnixTime) {
        let state = reservation.isOverdue(at: now) ? Reservation.State.expired : reservation.state
        self.init(
            reservationID: reservation.id, key: reservation.key, productID: reservation.productID,
            quantity: reservation.quantity, state: state.rawValue)
    }
}
