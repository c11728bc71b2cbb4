/// Which codings of a file a client takes (RFC 9110, 12.5.3).
struct AcceptEncoding: Sendable {
    /// Thousandths, by coding in lower case; `*` stands for all that are not named. Empty where the header is absent or
    /// not well-formed: then only what everybody takes is sent.
    private let weights: [String: Int]

    init(_ header: String?) {
        var weights: [String: Int] = [:]
        for element in (header ?? "").split(separator: ",") {
            let element = element.trimmed
            if element.isEmpty { continue }
            guard let (coding, weight) = Self.read(element) else {
                weights = [:]
                break
            }
            // A coding that is named twice is taken as little as it says.
            weights[coding] = min(weight, weights[coding] ?? weight)
        }
        self.weights = weights
    }

    /// Whether gzip is taken, and not less gladly than the bare file.
    var prefersGzip: Bool {
        let others = weights["*"] ?? 0
        let gzip = weights["gzip"] ?? others
        return gzip > 0 && gzip >= weights["identity"] ?? others
    }

    /// `gzip;q=0.5`: a coding, and a weight of 0 to 1 with at most three decimals (RFC 9110, 12.4.2).
    private static func read(_ element: Substring) -> (coding: String, weight: Int)? {
        let parts = element.split(separator: ";", omittingEmptySubsequences: false).map(\.trimmed)
        guard parts.count <= 2, let name = parts.first, !name.isEmpty, name.utf8.allSatisfy(isTokenByte) else {
            return nil
        }
        // The older name of the same (RFC 9110, 8.4.1.3).
        let coding = name.lowercased() == "x-gzip" ? "gzip" : name.lowercased()
        guard parts.count == 2 else { return (coding, 1000) }
        guard parts[1].lowercased().hasPrefix("q="), let weight = thousandths(parts[1].dropFirst(2)) else { return nil }
        return (coding, weight)
    }

    private static func thousandths(_ text: Substring) -> Int? {
        let halves = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard let whole = halves.first, whole == "0" || whole == "1" else { return nil }
        let decimals = halves.count == 2 ? halves[1] : ""
        guard decimals.utf8.count <= 3, decimals.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        let part = Int(decimals + String(repeating: "0", count: 3 - decimals.utf8.count)) ?? 0
        return whole == "0" ? part : (part == 0 ? 1000 : nil)
    }

    /// Of a token (RFC 9110, 5.6.2).
    private static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }
}

extension Substring {
    /// Without blanks at either end.
    fileprivate var trimmed: Substring {
        let text = drop { $0 == " " || $0 == "\t" }
        return text[..<(text.lastIndex { $0 != " " && $0 != "\t" }.map(text.index(after:)) ?? text.startIndex)]
    }
}
