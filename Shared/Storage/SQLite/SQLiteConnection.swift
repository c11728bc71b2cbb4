import Foundation
import GRDB
import GRDBSQLite

/// What a closure given to ``SQLiteDatabase`` sees: one statement at a time, in the transaction that the store began.
struct SQLiteConnection: SQLConnection {
    let database: GRDB.Database

    func execute(_ sql: String, _ parameters: [SQLValue]) throws -> Int {
        try run(sql, parameters) { statement in
            let before = database.totalChangesCount
            try statement.execute()
            // A statement that changes no rows leaves the count of the one before it.
            return database.totalChangesCount == before ? 0 : database.changesCount
        }
    }

    func query(_ sql: String, _ parameters: [SQLValue]) throws -> [SQLRow] {
        try run(sql, parameters) { statement in
            let columns = statement.columnNames
            let rows = try Row.fetchCursor(statement)
            var result: [SQLRow] = []
            while let row = try rows.next() {
                var values: [String: SQLValue] = [:]
                for (index, column) in columns.enumerated() { values[column] = try Self.value(row[index], column) }
                result.append(SQLRow(values: values))
            }
            return result
        }
    }

    private func run<Result>(
        _ sql: String, _ parameters: [SQLValue], _ body: (Statement) throws -> Result
    ) throws -> Result {
        let head = SQLHead(sql)
        try head.admit()
        // Outside a transaction a statement would commit by itself, at once.
        guard database.isInsideTransaction else {
            throw StoreError.failed("\(head.name) came after SQLite had rolled back the transaction")
        }
        do {
            let statement = try database.cachedStatement(sql: try withoutLock(sql, head))
            try bind(parameters, to: statement, head)
            return try body(statement)
        } catch let error as DatabaseError {
            throw StoreError(error, in: head.name)
        }
    }

    /// SQLite has no row locks and needs none: there is one writer, who sees what all before it wrote.
    private func withoutLock(_ sql: String, _ head: SQLHead) throws -> String {
        let lock = " FOR UPDATE"
        guard sql.hasSuffix(lock) else { return sql }
        guard !database.configuration.readonly else {
            throw StoreError.failed("\(head.name): rows are locked for writes, and this is a read")
        }
        return String(sql.dropLast(lock.count))
    }

    /// Binds by name: SQLite numbers `$2` 1 when it comes first, so binding by position would swap values.
    private func bind(_ parameters: [SQLValue], to statement: Statement, _ head: SQLHead) throws {
        let count = Int(sqlite3_bind_parameter_count(statement.sqliteStatement))
        guard count == parameters.count else {
            throw StoreError.failed("\(head.name) takes \(count) parameters and got \(parameters.count)")
        }
        let values = try (0..<count).map { index in
            let name = sqlite3_bind_parameter_name(statement.sqliteStatement, CInt(index + 1)).map(
                String.init(cString:))
            guard let name, let number = Int(name.dropFirst()), (1...count).contains(number), name == "$\(number)"
            else {
                throw StoreError.failed("\(head.name): name its parameters $1 to $\(count), each at least once")
            }
            return try databaseValue(parameters[number - 1])
        }
        try statement.setArguments(StatementArguments(values))
    }

    private func databaseValue(_ value: SQLValue) throws -> DatabaseValue {
        switch value {
        case .null: return .null
        case .integer(let integer): return integer.databaseValue
        case .text(let text):
            // It would come back cut off there, and PostgreSQL has no such text.
            guard !text.utf8.contains(0) else { throw StoreError.constraintViolated("text holds a NUL character") }
            return text.databaseValue
        case .blob(let bytes): return Data(bytes).databaseValue
        }
    }

    static func value(_ value: DatabaseValue, _ column: String) throws -> SQLValue {
        switch value.storage {
        case .null: .null
        case .int64(let integer): .integer(integer)
        case .string(let text): .text(text)
        case .blob(let data): .blob([UInt8](data))
        case .double: throw StoreError.unexpectedValue(column: column)
        }
    }
}

extension StoreError {
    /// - Parameter context: what was being done, for the log; without values.
    init(_ error: DatabaseError, in context: String) {
        let message = error.message ?? ""
        // `UNIQUE constraint failed: payment.key`
        let subject = message.split(separator: ": ", maxSplits: 1).last.map(String.init) ?? message
        switch error.extendedResultCode {
        case .SQLITE_CONSTRAINT_UNIQUE, .SQLITE_CONSTRAINT_PRIMARYKEY, .SQLITE_CONSTRAINT_ROWID:
            self = .notUnique(constraint: subject)
            return
        default: break
        }
        switch error.resultCode {
        case .SQLITE_CONSTRAINT: self = .constraintViolated(message)
        case .SQLITE_BUSY: self = .busy
        default: self = .failed("\(context): SQLite error \(error.extendedResultCode.rawValue): \(message)")
        }
    }

    /// A ``StoreError`` as it is; anything else as what it means for the store.
    init(from error: any Error, in context: String) {
        switch error {
        case let error as StoreError: self = error
        case let error as DatabaseError: self.init(error, in: context)
        default: self = .failed("\(context): \(error)")
        }
    }
}
