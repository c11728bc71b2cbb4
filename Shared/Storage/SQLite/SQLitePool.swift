import Foundation
import GRDB
import GRDBSQLite

/// The open file: one connection that writes, some that read. Every method blocks its thread.
final class SQLitePool: Sendable {
    typealias Outcome = Result<StoreJob.Acknowledge, any Error>

    private let pool: DatabasePool

    /// Opens or creates the file in WAL mode and applies the migrations that it lacks. Processes that open the same
    /// new file at once must take turns.
    init(path: String, migrations: [Migration], configuration: SQLiteConfiguration) throws {
        do {
            var settings = GRDB.Configuration()
            settings.busyMode = .timeout(configuration.busyTimeout / .seconds(1))
            settings.maximumReaderCount = configuration.readers
            settings.foreignKeysEnabled = true
            pool = try DatabasePool(path: path, configuration: settings)
            try pool.writeWithoutTransaction { database in
                // Here and not in `prepareDatabase`: the pool sets NORMAL after that, and a commit would not fsync.
                try database.execute(sql: "PRAGMA synchronous = FULL")
                try database.execute(sql: "PRAGMA journal_size_limit = \(configuration.journalSizeLimitBytes)")
            }
        } catch {
            throw StoreError(from: error, in: "opening the database")
        }
        guard try writerPragma("synchronous") == .integer(2) else {
            throw StoreError.failed("SQLite did not take synchronous = FULL: writes would not survive a power cut")
        }
        try migrate(migrations)
    }

    /// The value of a setting on the connection that writes, as SQLite reports it.
    func writerPragma(_ name: String) throws -> SQLValue {
        try pool.writeWithoutTransaction { database in
            let value = try mapped("PRAGMA \(name)") { try DatabaseValue.fetchOne(database, sql: "PRAGMA \(name)") }
            return try SQLiteConnection.value(value ?? .null, name)
        }
    }

    /// Runs one job on a snapshot.
    func read(_ job: StoreJob) -> Outcome {
        Outcome {
            try mapped("reading") { try pool.read { try job.run(SQLiteConnection(database: $0)) } }
        }
    }

    /// Runs jobs in one transaction, each in its own savepoint, and returns when it is durable.
    ///
    /// - Parameter take: called once SQLite's lock is held, so that what arrives while waiting for it comes along.
    /// - Returns: an outcome for each job taken. When the commit fails all of them fail, also those that had failed by
    ///   themselves: what they saw, a duplicate for instance, may have been undone with the rest.
    /// - Throws: ``StoreError`` when the transaction could not begin; then no job was taken.
    func commitTogether(_ take: () -> [StoreJob]) throws -> [(job: StoreJob, outcome: Outcome)] {
        var batch: [StoreJob] = []
        do {
            return try pool.writeWithoutTransaction { database in
                try database.beginTransaction(.immediate)
                do {
                    batch = take()
                    let outcomes = try batch.map { ($0, try runInSavepoint($0, database)) }
                    try database.commit()
                    return outcomes
                } catch {
                    try database.rollback()
                    throw error
                }
            }
        } catch {
            let error = StoreError(from: error, in: "committing")
            guard !batch.isEmpty else { throw error }
            return batch.map { ($0, .failure(error)) }
        }
    }

    /// Moves the log into the file and closes it. Nothing may use the pool meanwhile or afterwards.
    func close() {
        // Both are best effort: another replica may hold the file, and whoever opens it next goes on from the log.
        _ = try? pool.writeWithoutTransaction { try $0.checkpoint(.passive) }
        try? pool.close()
    }

    /// - Throws: when the shared transaction is lost, not when the job's body failed.
    private func runInSavepoint(_ job: StoreJob, _ database: GRDB.Database) throws -> Outcome {
        try database.cachedStatement(sql: "SAVEPOINT one_write").execute()
        let outcome = Outcome {
            let acknowledge = try job.run(SQLiteConnection(database: database))
            guard !hasOpenForeignKeys(database) else {
                throw StoreError.constraintViolated("FOREIGN KEY constraint failed")
            }
            return acknowledge
        }
        guard database.isInsideTransaction else {
            // Not the cause itself: a duplicate, say, is one write's error and not that of those who shared with it.
            let cause = if case .failure(let error as StoreError) = outcome { ": \(error)" } else { "" }
            throw StoreError.failed("SQLite rolled back the transaction that this write shared\(cause)")
        }
        if case .failure = outcome {
            try database.cachedStatement(sql: "ROLLBACK TO one_write").execute()
        }
        try database.cachedStatement(sql: "RELEASE one_write").execute()
        return outcome
    }

    /// True when a deferred foreign key is violated, which SQLite would tell only at the commit, to all who share it.
    private func hasOpenForeignKeys(_ database: GRDB.Database) -> Bool {
        var violated: CInt = 0
        var unused: CInt = 0
        sqlite3_db_status(database.sqliteConnection, SQLITE_DBSTATUS_DEFERRED_FKS, &violated, &unused, 0)
        return violated != 0
    }

    private func migrate(_ migrations: [Migration]) throws {
        try Migration.requireUniqueNames(migrations)
        var migrator = DatabaseMigrator()
        for migration in migrations {
            migrator.registerMigration(migration.name, foreignKeyChecks: .immediate) { database in
                try mapped("migration '\(migration.name)'") { try database.execute(sql: migration.sql) }
            }
        }
        try mapped("migrating") {
            let applied = try pool.read { try migrator.appliedIdentifiers($0) }
            _ = try Migration.missing(of: migrations, applied: Set(applied))
            try migrator.migrate(pool)
        }
    }
}

private func mapped<Value>(_ context: String, _ body: () throws -> Value) throws -> Value {
    do { return try body() } catch let error as DatabaseError { throw StoreError(error, in: context) }
}
