#if Postgres
/// The placeholders of a statement as they stand in its text, strings, names and comments left out.
struct SQLPlaceholders {
    /// `1` for `$1`.
    private(set) var names: Set<String> = []

    init(_ sql: String) {
        var rest = Substring(sql).utf8
        while let byte = rest.first {
            switch byte {
            case UInt8(ascii: "'"), UInt8(ascii: "\""):
                rest = rest.dropFirst().drop { $0 != byte }.dropFirst()
            case UInt8(ascii: "-") where rest.starts(with: "--".utf8):
                rest = rest.drop { $0 != UInt8(ascii: "\n") }
            case UInt8(ascii: "/") where rest.starts(with: "/*".utf8):
                rest = rest.dropFirst(2)
                while !rest.isEmpty, !rest.starts(with: "*/".utf8) { rest = rest.dropFirst() }
                rest = rest.dropFirst(2)
            case UInt8(ascii: "$"):
                let digits = rest.dropFirst().prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
                if !digits.isEmpty { names.insert(String(Substring(digits))) }
                rest = rest[digits.endIndex...]
            default: rest = rest.dropFirst()
            }
        }
    }

    /// Whether they are `$1` to `$count`, each at least once.
    ///
    /// - Throws: ``StoreError/failed(_:)``
    func check(count: Int, _ head: SQLHead) throws {
        guard names.count == count else {
            throw StoreError.failed("\(head.name) takes \(names.count) parameters and got \(count)")
        }
        guard names == Set((0..<count).map { String($0 + 1) }) else {
            throw StoreError.failed("\(head.name): name its parameters $1 to $\(count), each at least once")
        }
    }
}
#endif
