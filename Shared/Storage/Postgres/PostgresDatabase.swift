#if Postgres
import Foundation

/// A ``Database`` in one schema of a PostgreSQL database, which replicas on many machines may share.
///
/// ```
///   read()  --> REPEATABLE READ READ ONLY: one snapshot           \  on one of a few connections,
///   write() --> READ COMMITTED with row locks, durable at COMMIT  /  each with a thread of its own
/// ```
///
/// Here transactions of one process, and of many replicas, really run at the same time, so a write must say what it
/// changes because of what it has read: it reads that row with `FOR UPDATE`, and is alone with it until its end. Row locks
/// and not `SERIALIZABLE`, under which those who meet at a row undo each other's work: all notifications meet at one
/// counter, and new payments, whose ids grow, at one page of an index.
///
/// A transaction that meets another one in a way that only one of them survives (a deadlock, the same key inserted by
/// both) or that loses its connection before it commits is run again: so a body may run several times, and only the last
/// one counts. A transaction whose COMMIT was sent and not answered is never run again; its caller gets an error.
public final class PostgresDatabase: Database {
    private let pool: PostgresPool
    private let closeTimeout: Duration

    private init(pool: PostgresPool, closeTimeout: Duration) {
        self.pool = pool
        self.closeTimeout = closeTimeout
    }

    /// Ends the threads of a store that was dropped and not closed.
    deinit { pool.queue.close() }

    /// Connects, and applies the migrations that the schema lacks.
    ///
    /// - Parameters:
    ///   - url: `postgres://user@host:5432/database?sslmode=verify-full`, or anything else that libpq takes.
    ///   - schema: where the tables are, made when it is not there: stores may share a database. Small letters, digits and `_`.
    ///   - passwordFile: a file that holds the password alone.
    /// - Throws: ``StoreError``
    public static func open(
        url: String, schema: String, passwordFile: String? = nil, migrations: [Migration],
        configuration: PostgresConfiguration = .init()
    ) async throws -> PostgresDatabase {
        guard schema.wholeMatch(of: #/[a-z_][a-z0-9_]*/#) != nil else {
            throw StoreError.failed("a schema is named in small letters, digits and _")
        }
        let address = try PostgresAddress(url: url, passwordFile: passwordFile, applicationName: schema)
        let session = { @Sendable in
            PostgresSession(address: address, schema: schema, configuration: configuration)
        }
        try await Opening.run(name: "\(schema)-opening", timeout: configuration.openTimeout) {
            let deadline = ContinuousClock.now + configuration.openTimeout
            let session = session()
            defer { session.close() }
            try reach(session, configuration)
            try PostgresMigrator(schema: schema, session: session, deadline: deadline).migrate(migrations)
        }
        return PostgresDatabase(
            pool: PostgresPool(name: schema, configuration: configuration, session: session),
            closeTimeout: configuration.closeTimeout)
    }

    @discardableResult
    public func write<Value: Sendable>(
        _ body: @escaping @Sendable (any SQLConnection) throws -> Value
    ) async throws -> Value {
        try await pool.queue.submit(body)
    }

    public func read<Value: Sendable>(
        _ body: @escaping @Sendable (any SQLConnection) throws -> Value
    ) async throws -> Value {
        try await pool.queue.submit(isRead: true, body)
    }

    /// Ends the store when what waits and what runs is done, or after the close timeout.
    public func close() async {
        pool.queue.close()
        await pool.queue.wait(atMost: closeTimeout)
    }

    /// Calls whose body has not started.
    var waiting: Int { pool.queue.count }

    /// Waits for a server that starts at the same time as its clients.
    private static func reach(_ session: PostgresSession, _ configuration: PostgresConfiguration) throws {
        let deadline = ContinuousClock.now + configuration.reachTimeout
        var last: PostgresFailure?
        while true {
            do throws(PostgresFailure) {
                _ = try session.connected(until: deadline)
                return
            } catch {
                // An attempt that the deadline cut off says less than the one before it.
                let reason = ContinuousClock.now < deadline ? error : last ?? error
                guard ContinuousClock.now + .milliseconds(100) < deadline else { throw session.storeError(reason) }
                last = reason
                Thread.sleep(forTimeInterval: 0.1)
            }
        }
    }
}
#endif
