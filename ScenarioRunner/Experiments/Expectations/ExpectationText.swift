/// What hypotheses and stop conditions are written with.
enum ExpectationText {
    /// A longer list is refused.
    private static let maximumClauses = 20

    /// The words of each clause, at least one; `p95<=5s` is three words too.
    static func clauses(_ text: String) throws(QuantityError) -> [[Substring]] {
        let clauses = text.split(separator: ",", omittingEmptySubsequences: false).map(words)
        guard !clauses.contains(where: \.isEmpty) else { throw QuantityError("has an empty part between its commas") }
        guard clauses.count <= maximumClauses else { throw QuantityError("has more than \(maximumClauses) parts") }
        return clauses
    }

    private static func words(_ clause: Substring) -> [Substring] {
        clause.split { $0 == " " || $0 == "\t" || $0 == "\n" }.flatMap { word -> [Substring] in
            guard let start = word.firstIndex(where: { $0 == "<" || $0 == ">" }) else { return [word] }
            let end = word[start...].firstIndex { $0 != "<" && $0 != ">" && $0 != "=" } ?? word.endIndex
            return [word[..<start], word[start..<end], word[end...]].filter { !$0.isEmpty }
        }
    }

    /// Whether the words say that the money is right, or that it is wrong; nil when they say something else.
    static func money(_ words: [Substring]) -> Bool? {
        words == ["money", "right"] ? true : words == ["money", "wrong"] ? false : nil
    }

    static func metric(_ word: Substring, also others: [String]) throws(QuantityError) -> Metric {
        guard let metric = Metric(rawValue: String(word)) else {
            let known = Metric.allCases.map(\.rawValue) + others
            throw QuantityError("begins a part with '\(word)': use \(known.joined(separator: ", "))")
        }
        return metric
    }

    static func comparison(_ word: Substring) throws(QuantityError) -> Comparison {
        guard let comparison = Comparison(rawValue: String(word)) else {
            throw QuantityError("has '\(word)' where <, <=, > or >= must stand")
        }
        return comparison
    }

    static func malformed(_ words: [Substring], _ example: String) -> QuantityError {
        QuantityError("has '\(words.joined(separator: " "))', which is not like '\(example)'")
    }
}
