#if Postgres
import CPostgres

/// The values of a statement as libpq takes them. Each has the type of its value, so that PostgreSQL never guesses one;
/// a null has none and takes that of its place.
struct PostgresParameters {
    /// 0 for a null.
    let types: [Oid]
    /// Each followed by a zero: libpq reads texts up to it.
    private let bytes: [[UInt8]?]
    private let lengths: [CInt]
    /// 1 for binary.
    private let formats: [CInt]

    /// - Throws: ``StoreError/constraintViolated(_:)`` for a text that PostgreSQL cannot hold.
    init(_ values: [SQLValue]) throws {
        types = values.map(Self.type)
        let encoded = try values.map(Self.encoded)
        bytes = encoded.map { $0.map { $0 + [0] } }
        lengths = encoded.map { CInt($0?.count ?? 0) }
        formats = values.map { if case .blob = $0 { 1 } else { 0 } }
    }

    /// Calls `body` with the arrays of libpq's functions: values, lengths, formats.
    func withPointers<Value>(
        _ body: ([UnsafePointer<CChar>?], [CInt], [CInt]) -> Value
    ) -> Value {
        let storage = bytes.flatMap { $0 ?? [] }
        return storage.withUnsafeBytes { buffer in
            let start = buffer.bindMemory(to: CChar.self).baseAddress
            var offset = 0
            let pointers = bytes.map { value -> UnsafePointer<CChar>? in
                guard let value, let start else { return nil }
                defer { offset += value.count }
                return start + offset
            }
            return body(pointers, lengths, formats)
        }
    }

    private static func type(_ value: SQLValue) -> Oid {
        switch value {
        case .null: 0
        case .integer: PostgresType.int8.rawValue
        case .text: PostgresType.text.rawValue
        case .blob: PostgresType.bytea.rawValue
        }
    }

    private static func encoded(_ value: SQLValue) throws -> [UInt8]? {
        switch value {
        case .null: return nil
        case .integer(let integer): return Array(String(integer).utf8)
        case .text(let text):
            guard !text.utf8.contains(0) else { throw StoreError.constraintViolated("text holds a NUL character") }
            return Array(text.utf8)
        case .blob(let bytes): return bytes
        }
    }
}
#endif
