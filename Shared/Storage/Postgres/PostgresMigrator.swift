#if Postgres
import Foundation

/// Brings a schema up to date: each migration once and in order, whoever opens it at the same time.
///
/// ```
///   names applied --none missing--> done
///        '--some--> BEGIN, advisory lock, next missing one, its name, COMMIT --> once more
/// ```
struct PostgresMigrator {
    let schema: String
    let session: PostgresSession
    let deadline: ContinuousClock.Instant

    private static let table = "schema_migration"

    /// - Throws: ``StoreError``
    func migrate(_ migrations: [Migration]) throws {
        try Migration.requireUniqueNames(migrations)
        let link = try during("connecting") { try session.connected(until: deadline) }
        // The wait for others is no transaction that got stuck.
        try run("SET statement_timeout TO 0", link, "migrating")
        var missing = try Migration.missing(of: migrations, applied: try applied(link))
        while let next = missing.first {
            try run("BEGIN", link, "migrating")
            missing = try apply(next, of: migrations, link)
            try during("migration '\(next.name)'") { try link.commit(until: deadline) }
        }
    }

    /// Applies the first migration that is still missing when it is this one's turn.
    ///
    /// - Returns: those that are missing then.
    private func apply(_ seen: Migration, of migrations: [Migration], _ link: PostgresLink) throws -> [Migration] {
        try run("SELECT pg_advisory_xact_lock(hashtextextended('migrations of \(schema)', 0))", link, "migrating")
        let schemas = try rows("SELECT 1 AS one FROM pg_namespace WHERE nspname = '\(schema)'", link)
        // Not `IF NOT EXISTS`, which wants the right to make schemas also where there is nothing to make.
        if schemas.isEmpty { try run("CREATE SCHEMA \"\(schema)\"", link, "making the schema \(schema)") }
        try run(
            "CREATE TABLE IF NOT EXISTS \(Self.table) (name TEXT PRIMARY KEY, applied_at BIGINT NOT NULL)", link,
            "migrating")
        var missing = try Migration.missing(of: migrations, applied: try applied(link))
        guard let next = missing.first else { return [] }
        try run(next.sql, link, "migration '\(next.name)'")
        let note = try PostgresParameters([.text(next.name), .integer(UnixTime.now.milliseconds)])
        try during("migration '\(next.name)'") {
            _ = try link.run("INSERT INTO \(Self.table) (name, applied_at) VALUES ($1, $2)", note, until: deadline)
        }
        missing.removeFirst()
        return missing
    }

    private func applied(_ link: PostgresLink) throws -> Set<String> {
        let known = "SELECT 1 AS one FROM pg_tables WHERE schemaname = '\(schema)' AND tablename = '\(Self.table)'"
        guard try !rows(known, link).isEmpty else { return [] }
        return try Set(rows("SELECT name FROM \(Self.table)", link).map { try $0.text("name") })
    }

    private func rows(_ sql: String, _ link: PostgresLink) throws -> [SQLRow] {
        try during("migrating") { try link.run(sql, until: deadline) }.rows()
    }

    private func run(_ sql: String, _ link: PostgresLink, _ context: String) throws {
        try during(context) { _ = try link.run(sql, until: deadline) }
    }

    private func during<Value>(_ context: String, _ body: () throws -> Value) throws -> Value {
        do { return try body() } catch let failure as PostgresFailure {
            guard case .refused(var refusal) = failure else { throw session.storeError(failure) }
            refusal.context = context
            throw refusal.storeError(nil)
        }
    }
}
#endif
