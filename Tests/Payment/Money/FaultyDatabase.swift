import Shared
import Synchronization

/// A database that does with some statements what a defect makes of them.
struct FaultyDatabase: Database {
    let base: any Database
    let defect: Defect
    /// Runs between a transaction and the one that was put off.
    let between: @Sendable () -> Void

    func write<Value: Sendable>(
        _ body: @escaping @Sendable (any SQLConnection) throws -> Value
    ) async throws -> Value {
        let putOff = PutOff()
        let value = try await base.write { connection in
            // A transaction that is tried again begins anew.
            putOff.statements.withLock { $0 = [] }
            return try body(FaultyConnection(base: connection, defect: defect, putOff: putOff))
        }
        let late = putOff.statements.withLock { $0 }
        guard !late.isEmpty else { return value }
        between()
        try await base.write { connection in
            for statement in late { try connection.execute(statement.sql, statement.parameters) }
        }
        return value
    }

    func read<Value: Sendable>(
        _ body: @escaping @Sendable (any SQLConnection) throws -> Value
    ) async throws -> Value {
        try await base.read(body)
    }

    func close() async { await base.close() }
}

private final class PutOff: Sendable {
    let statements = Mutex<[SQLStatement]>([])
}

private struct FaultyConnection: SQLConnection {
    let base: any SQLConnection
    let defect: Defect
    let putOff: PutOff

    func execute(_ sql: String, _ parameters: [SQLValue]) throws -> Int {
        let statement = SQLStatement(sql: sql, parameters: parameters)
        if defect == .outboxOutsideTransaction, statement.isOutboxInsert {
            putOff.statements.withLock { $0.append(statement) }
            return 1
        }
        guard let changed = defect.changed(statement) else { return 0 }
        return try base.execute(changed.sql, changed.parameters)
    }

    func query(_ sql: String, _ parameters: [SQLValue]) throws -> [SQLRow] {
        guard let changed = defect.changed(SQLStatement(sql: sql, parameters: parameters)) else { return [] }
        return try base.query(changed.sql, changed.parameters)
    }
}
