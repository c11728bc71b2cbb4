/// A transactional SQL store. One SQL text serves SQLite and PostgreSQL: `$1` placeholders, `ON CONFLICT`,
/// `RETURNING`, `FOR UPDATE` at the end of a `SELECT`, integers (`BIGINT`) for money and time.
///
/// ```
///   store method --(closure)--> write --> one transaction (in SQLite a savepoint of a shared one) --> durable
/// ```
///
/// A store method is one transaction: it makes one call to ``write(_:)`` or ``read(_:)``. The closures are
/// synchronous, so that no network call can ever happen inside a transaction.
///
/// Two writes run at the same time where the database can do that. What a write decides by what it has read, it must
/// have read with `FOR UPDATE` (or changed itself) first: then nobody else changes that row before its end. Those who
/// lock several rows lock them in one order. A statement that failed ends its transaction: closures let its error out.
public protocol Database: Sendable {
    /// Runs `body` in a transaction of its own and returns once what it wrote is durable: a power cut after the
    /// return loses nothing. A throwing body is rolled back alone and its error rethrown. A body may run several times,
    /// of which only the last one counts.
    ///
    /// - Throws: the body's error, or ``StoreError``.
    @discardableResult
    func write<Value: Sendable>(_ body: @escaping @Sendable (any SQLConnection) throws -> Value) async throws -> Value

    /// Runs `body` on a consistent snapshot. Writing in it is an error.
    func read<Value: Sendable>(_ body: @escaping @Sendable (any SQLConnection) throws -> Value) async throws -> Value

    /// Ends the store after the writes under way. Later calls throw ``StoreError/closed``.
    func close() async
}

/// A connection inside a transaction; valid only while the closure runs.
public protocol SQLConnection {
    /// Runs one statement and returns the number of rows that it changed. `$1` is the first parameter.
    @discardableResult
    func execute(_ sql: String, _ parameters: [SQLValue]) throws -> Int

    /// Runs one statement and returns its rows.
    func query(_ sql: String, _ parameters: [SQLValue]) throws -> [SQLRow]
}

extension SQLConnection {
    @discardableResult
    public func execute(_ sql: String) throws -> Int { try execute(sql, []) }
    public func query(_ sql: String) throws -> [SQLRow] { try query(sql, []) }
}

/// A value that goes into or comes out of the store. There is no floating point: money and time are integers.
public enum SQLValue: Sendable, Equatable {
    case null
    case integer(Int64)
    case text(String)
    case blob([UInt8])

    public static func integer(_ value: Int) -> SQLValue { .integer(Int64(value)) }
    /// The text, or null.
    public static func optional(_ value: String?) -> SQLValue { value.map(SQLValue.text) ?? .null }
    /// The integer, or null.
    public static func optional(_ value: Int64?) -> SQLValue { value.map(SQLValue.integer) ?? .null }

    /// `$1, $2, $3`: a list of `count` parameters for `IN (...)`, which has at least one. Both databases take thousands.
    public static func placeholders(_ count: Int) -> String {
        (0..<count).map { "$\($0 + 1)" }.joined(separator: ", ")
    }
}

/// One row, read by column name.
public struct SQLRow: Sendable {
    private let values: [String: SQLValue]

    public init(values: [String: SQLValue]) { self.values = values }

    public func text(_ column: String) throws -> String {
        guard case .text(let value) = values[column] else { throw StoreError.unexpectedValue(column: column) }
        return value
    }

    public func integer(_ column: String) throws -> Int64 {
        guard case .integer(let value) = values[column] else { throw StoreError.unexpectedValue(column: column) }
        return value
    }

    public func int(_ column: String) throws -> Int { Int(try integer(column)) }

    public func optionalText(_ column: String) throws -> String? {
        if case .null = values[column] { return nil }
        return try text(column)
    }

    public func optionalInteger(_ column: String) throws -> Int64? {
        if case .null = values[column] { return nil }
        return try integer(column)
    }
}

/// What a store can answer besides a value.
public enum StoreError: Error, Sendable, Equatable {
    /// A UNIQUE or PRIMARY KEY constraint; `constraint` is `table.column[, table.column]`.
    case notUnique(constraint: String)
    /// A CHECK, NOT NULL or foreign-key constraint, or text with a NUL character, which no store holds.
    case constraintViolated(String)
    /// The turn to write, a free connection or a lock did not come in time; nothing was stored.
    case busy
    case closed
    case unexpectedValue(column: String)
    /// Anything else: the disk is full, the SQL is wrong. The text is for logs, never for clients.
    case failed(String)
}
