/// The first words of a statement: enough to tell what it does and to name it in an error, too little to hold a value.
struct SQLHead {
    /// At most three keywords or identifiers, upper case; empty when the text does not start with a word.
    let words: [String]

    private static let kept = 3
    /// What a store's closure may run. All else is refused, not only what is known to harm: `COMMIT` and its like end
    /// a transaction that other writes share, `PRAGMA` and `ATTACH` change the connection for the writes after.
    private static let allowed: Set<String> = [
        "SELECT", "VALUES", "WITH", "INSERT", "REPLACE", "UPDATE", "DELETE", "CREATE", "ALTER", "DROP",
    ]

    init(_ sql: String) {
        var rest = Substring(sql).utf8
        var words: [String] = []
        while words.count < Self.kept {
            rest = Self.withoutLeadingBlanks(rest)
            let word = rest.prefix(while: Self.isWordByte)
            guard !word.isEmpty else { break }
            words.append(Substring(word).uppercased())
            rest = rest[word.endIndex...]
        }
        self.words = words
    }

    var name: String { words.isEmpty ? "the statement" : words.joined(separator: " ") }

    /// - Throws: ``StoreError/failed(_:)`` for a statement that a closure may not run.
    func admit() throws {
        guard let first = words.first, Self.allowed.contains(first) else {
            throw StoreError.failed(
                "\(name) is refused: the store begins and ends transactions and sets up connections")
        }
        // `INSERT OR ROLLBACK` ends the whole transaction when it fails.
        guard words.dropFirst() != ["OR", "ROLLBACK"] else {
            throw StoreError.failed("\(name) is refused: it would undo other writes; write OR ABORT, or let it throw")
        }
    }

    private static func isWordByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"): true
        default: false
        }
    }

    /// Drops what SQLite's tokenizer drops: its five blanks, `--` up to a line feed, `/*` up to `*/`.
    private static func withoutLeadingBlanks(_ text: Substring.UTF8View) -> Substring.UTF8View {
        var rest = text
        while true {
            rest = rest.drop { [0x20, 0x09, 0x0A, 0x0C, 0x0D].contains($0) }
            if rest.starts(with: "--".utf8) {
                rest = rest.drop { $0 != 0x0A }
            } else if rest.starts(with: "/*".utf8) {
                rest = rest.dropFirst(2)
                while !rest.isEmpty, !rest.starts(with: "*/".utf8) { rest = rest.dropFirst() }
                rest = rest.dropFirst(2)
            } else {
                return rest
            }
        }
    }
}
