import Logging
import ServiceLifecycle
import Shared
import Synchronization

/// Claims on work, in the database that all replicas share: the claim of a replica that died ends by itself.
///
/// ```
///   begin: owner = me, lease_until = now + 4 s --renew every second while I work--> settled, nobody's
///                               '--I died, or stood still--> lease over --claim--> the reconciler of any replica
/// ```
///
/// Two may work on one payment at once all the same, when one of them stood still and went on. So the lease is only
/// what keeps them from doing things for nothing; that no payment is charged or settled twice is the doing of the
/// gateway's books and of the payment's state.
extension PaymentStore {
    func lease(_ id: String, at now: UnixTime, on connection: any SQLConnection) throws {
        try connection.execute(
            "UPDATE payment SET owner = $2, lease_until = $3 WHERE id = $1",
            [.text(id), .text(owner), .integer(now.milliseconds + leaseDuration.wholeMilliseconds)])
    }

    /// Extends the leases of payments that are still this process's own.
    func renew(_ ids: [String]) async throws {
        let until = clock().milliseconds + leaseDuration.wholeMilliseconds
        try await database.write { connection in
            // In the order of ids, so that no two that lock several payments wait for each other.
            for id in ids.sorted() {
                try connection.execute(
                    "UPDATE payment SET lease_until = $3 WHERE id = $1 AND owner = $2",
                    [.text(id), .text(owner), .integer(until)])
            }
        }
    }

    /// Takes over payments that have no end and no owner any more, the longest abandoned first.
    func claimUnsettled(limit: Int) async throws -> [UnsettledPayment] {
        let now = clock()
        let isIdle = try await database.read { connection in
            try connection.query(
                "SELECT id FROM payment WHERE status IN ('pending', 'processing') AND lease_until <= $1 LIMIT 1",
                [.integer(now.milliseconds)]
            ).isEmpty
        }
        // Most rounds find nothing, and a look costs no turn to write.
        guard !isIdle else { return [] }
        return try await database.write { connection in
            // The condition stands twice for stores in which two claims may run at once.
            try connection.query(
                """
                UPDATE payment SET owner = $1, lease_until = $2, attempts = attempts + 1
                WHERE lease_until <= $3 AND status IN ('pending', 'processing') AND id IN (
                    SELECT id FROM payment WHERE status IN ('pending', 'processing') AND lease_until <= $3
                    ORDER BY lease_until LIMIT $4)
                RETURNING *
                """,
                [
                    .text(owner), .integer(now.milliseconds + leaseDuration.wholeMilliseconds),
                    .integer(now.milliseconds), .integer(limit),
                ]
            ).map(UnsettledPayment.init)
        }
    }

    /// Puts a payment that could not be settled off for a while.
    func putOff(_ payment: UnsettledPayment) async throws {
        let due = clock().milliseconds + BackOff.delay(attempts: payment.attempts).wholeMilliseconds
        try await database.write { connection in
            try connection.execute(
                "UPDATE payment SET owner = NULL, lease_until = $3 WHERE id = $1 AND owner = $2",
                [.text(payment.payment.id), .text(owner), .integer(due)])
        }
    }
}

/// A payment that somebody began and nobody ended.
struct UnsettledPayment: Sendable {
    let payment: Payment
    let attempts: Int
    let createdAt: UnixTime
    let scenario: String?
    let reservationID: String?
    /// The product as inventory described it.
    let inventoryCheck: JSONValue
}

/// How long to wait before something that failed is tried again.
enum BackOff {
    static let first = Duration.milliseconds(200)
    static let longest = Duration.seconds(5)

    /// Doubles from attempt to attempt, from 1.
    static func delay(attempts: Int) -> Duration {
        min(longest, first * (1 << min(max(attempts - 1, 0), 10)))
    }
}

/// Renews the leases of the payments that this process works on, for as long as it works on them.
final class LeaseKeeper: Service {
    private static let period = Duration.seconds(1)

    private let store: PaymentStore
    private let logger: Logger
    private let held = Mutex<[String: ContinuousClock.Instant]>([:])

    init(store: PaymentStore, logger: Logger) {
        self.store = store
        self.logger = logger
    }

    /// Runs `body` while it keeps the payment's lease.
    func holding<Value: Sendable>(_ id: String, _ body: () async throws -> Value) async rethrows -> Value {
        held.withLock { $0[id] = .now }
        defer { held.withLock { _ = $0.removeValue(forKey: id) } }
        return try await body()
    }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while (try? await Task.sleep(for: Self.period)) != nil { await self.renew() }
        }
    }

    private func renew() async {
        // Most payments end long before their first lease needs it.
        let oldest = ContinuousClock.now - Self.period
        let ids = held.withLock { held in held.filter { $0.value < oldest }.map(\.key) }
        guard !ids.isEmpty else { return }
        do {
            try await store.renew(ids)
        } catch {
            logger.warning("leases could not be renewed", metadata: ["error": "\(error)"])
        }
    }
}

extension Duration {
    /// For a wall clock that counts milliseconds.
    var wholeMilliseconds: Int64 { nanoseconds / 1_000_000 }
}

extension UnsettledPayment {
    fileprivate init(_ row: SQLRow) throws {
        self.init(
            payment: try Payment(row), attempts: try row.int("attempts"),
            createdAt: UnixTime(milliseconds: try row.integer("created_at")),
            scenario: try row.optionalText("scenario"), reservationID: try row.optionalText("reservation_id"),
            inventoryCheck: try row.optionalText("inventory_check").flatMap(JSONValue.init(text:)) ?? .object([:]))
    }
}
