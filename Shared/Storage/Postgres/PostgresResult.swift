#if Postgres
import CPostgres

/// What the server answered to one statement.
final class PostgresResult {
    private let pointer: OpaquePointer

    init(_ pointer: OpaquePointer) { self.pointer = pointer }

    deinit { PQclear(pointer) }

    /// Waits for bytes that nobody sends, or sends bytes that nobody reads.
    var isCopy: Bool { [PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH].contains(PQresultStatus(pointer)) }

    /// `UPDATE 3`, `COMMIT`.
    var command: String { String(cString: PQcmdStatus(pointer)) }

    /// Rows that were inserted, updated or deleted; 0 for every other statement.
    var changedRows: Int {
        command.hasPrefix("SELECT") ? 0 : Int(String(cString: PQcmdTuples(pointer))) ?? 0
    }

    var refusal: PostgresRefusal? {
        guard [PGRES_FATAL_ERROR, PGRES_BAD_RESPONSE].contains(PQresultStatus(pointer)) else { return nil }
        return PostgresRefusal(
            sqlState: field("C"), message: field("M"), table: field("t"), column: field("c"), constraint: field("n"))
    }

    /// A part of an error by its letter in the protocol; PostgreSQL's documentation, 55.8.
    private func field(_ letter: Unicode.Scalar) -> String {
        PQresultErrorField(pointer, CInt(letter.value)).map { String(cString: $0) } ?? ""
    }

    func rows() throws -> [SQLRow] {
        let columns = (0..<PQnfields(pointer)).map { ($0, String(cString: PQfname(pointer, $0)), PQftype(pointer, $0)) }
        return try (0..<PQntuples(pointer)).map { row in
            var values: [String: SQLValue] = [:]
            for (index, name, type) in columns { values[name] = try value(row, index, type, name) }
            return SQLRow(values: values)
        }
    }

    private func value(_ row: CInt, _ index: CInt, _ type: Oid, _ column: String) throws -> SQLValue {
        guard PQgetisnull(pointer, row, index) == 0, let start = PQgetvalue(pointer, row, index) else { return .null }
        let bytes = UnsafeRawBufferPointer(start: start, count: Int(PQgetlength(pointer, row, index)))
        let text = String(decoding: bytes, as: UTF8.self)
        switch PostgresType(rawValue: type) {
        case .int2, .int4, .int8:
            guard let integer = Int64(text) else { throw StoreError.unexpectedValue(column: column) }
            return .integer(integer)
        // As SQLite tells the truth.
        case .bool: return .integer(text == "t" ? 1 : 0)
        case .text, .varchar, .name: return .text(text)
        case .bytea: return .blob(try Self.bytes(hex: bytes, column))
        case nil: throw StoreError.unexpectedValue(column: column)
        }
    }

    /// `\x00ff`, as `bytea_output = hex` has it.
    private static func bytes(hex: UnsafeRawBufferPointer, _ column: String) throws -> [UInt8] {
        let digits = try hex.dropFirst(2).map { character in
            guard let digit = Character(Unicode.Scalar(character)).hexDigitValue else {
                throw StoreError.unexpectedValue(column: column)
            }
            return UInt8(digit)
        }
        return stride(from: 0, to: digits.count - 1, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }
}

/// The types of columns and parameters that the store knows, by their numbers in `pg_type`.
enum PostgresType: Oid {
    case bool = 16
    case bytea = 17
    case name = 19
    case int8 = 20
    case int2 = 21
    case int4 = 23
    case text = 25
    case varchar = 1043
}
#endif
