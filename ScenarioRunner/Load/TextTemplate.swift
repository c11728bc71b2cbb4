import Experiments

/// A text with places to fill in for each request.
///
/// * `${choice:1,2,5}`: one of the values, evenly.
/// * `${int:1,100}`: a whole number from the first to the second, evenly.
/// * `${uuid}`: a random version 4 UUID.
/// * `${recall:payment_id}`: what an answer of this load has left under that name, one of the last thousand.
/// * `${take:payment_id}`: the same, and nobody else gets it again.
public struct TextTemplate: Sendable, Equatable {
    enum Part: Sendable, Equatable {
        case literal(String)
        case choice([String])
        case integer(ClosedRange<Int>)
        case uuid
        case recall(String, takes: Bool)
    }

    let parts: [Part]

    private static let known = "write ${uuid}, ${choice:1,2}, ${int:1,9}, ${recall:name} or ${take:name}"

    /// - Throws: ``LoadPlanError`` for an unknown or unclosed placeholder, or a choice of nothing.
    public init(_ text: String) throws(LoadPlanError) {
        var parts: [Part] = []
        var rest = Substring(text)
        while let start = rest.firstRange(of: "${") {
            if start.lowerBound > rest.startIndex { parts.append(.literal(String(rest[..<start.lowerBound]))) }
            guard let end = rest[start.upperBound...].firstIndex(of: "}") else {
                throw LoadPlanError("'\(rest[start.lowerBound...])' is not closed: \(Self.known)")
            }
            parts.append(try Self.placeholder(rest[start.upperBound..<end]))
            rest = rest[rest.index(after: end)...]
        }
        if !rest.isEmpty { parts.append(.literal(String(rest))) }
        self.parts = parts
    }

    private static func placeholder(_ text: Substring) throws(LoadPlanError) -> Part {
        let halves = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let values = halves.count < 2 ? [] : halves[1].split(separator: ",").map(String.init)
        switch (halves[0], values.count) {
        case ("uuid", 0) where halves.count == 1:
            return .uuid
        case ("choice", 1...):
            return .choice(values)
        case ("int", 2):
            if let low = Int(values[0]), let high = Int(values[1]), low <= high { return .integer(low...high) }
        case ("recall", 1), ("take", 1):
            return .recall(values[0], takes: halves[0] == "take")
        default: break
        }
        throw LoadPlanError("'${\(text)}' is not known: \(known)")
    }

    /// The text, if it is the same for every request.
    var constant: String? {
        switch parts.count {
        case 0: return ""
        case 1: if case .literal(let text) = parts[0] { return text }
        default: break
        }
        return nil
    }

    /// The names that it needs answers to have left.
    var recalls: [String] {
        parts.compactMap { if case .recall(let name, _) = $0 { name } else { nil } }
    }

    /// Those of ``recalls`` that it uses up.
    var takes: [String] {
        parts.compactMap { if case .recall(let name, true) = $0 { name } else { nil } }
    }

    /// - Parameters:
    ///   - choices: decides what is asked for; the same seed asks for the same.
    ///   - keys: decides what must be unique, such as idempotency keys.
    ///   - memory: what answers have left; must know every name in ``recalls``.
    func render(
        choices: inout SeededGenerator, keys: inout SeededGenerator, memory: inout LoadMemory
    ) -> String {
        var text = ""
        for part in parts {
            switch part {
            case .literal(let literal): text += literal
            case .choice(let values): text += values[Int.random(in: values.indices, using: &choices)]
            case .integer(let range): text += String(Int.random(in: range, using: &choices))
            case .uuid: text += Self.uuid(using: &keys)
            case .recall(let name, let takes): text += memory.recall(name, takes: takes, using: &choices) ?? ""
            }
        }
        return text
    }

    private static let digits = Array("0123456789abcdef".utf8)

    /// RFC 9562, version 4, from the given generator.
    private static func uuid(using generator: inout SeededGenerator) -> String {
        let high = generator.next() & 0xffff_ffff_ffff_0fff | 0x4000
        let low = generator.next() & 0x3fff_ffff_ffff_ffff | 0x8000_0000_0000_0000
        return String(unsafeUninitializedCapacity: 36) { text in
            var place = 0
            for (word, dashes) in [(high, [8, 12]), (low, [0, 4])] {
                for digit in 0..<16 {
                    if dashes.contains(digit) {
                        text[place] = UInt8(ascii: "-")
                        place += 1
                    }
                    text[place] = digits[Int(word >> UInt64(60 - 4 * digit) & 0xf)]
                    place += 1
                }
            }
            return place
        }
    }
}

/// What the answers of a load have left for later requests: `${recall:name}`.
struct LoadMemory: Sendable {
    private var values: [String: [String]] = [:]
    /// Where the next value goes once a name has all that are kept.
    private var next: [String: Int] = [:]

    static let maxValues = 1000
    /// Longer ones are not kept.
    static let maxBytes = 1024

    mutating func keep(_ value: String, as name: String) {
        guard value.utf8.count <= Self.maxBytes else { return }
        guard values[name, default: []].count >= Self.maxValues else {
            values[name, default: []].append(value)
            return
        }
        let place = next[name, default: 0]
        values[name]?[place] = value
        next[name] = (place + 1) % Self.maxValues
    }

    func knows(_ name: String) -> Bool { values[name]?.isEmpty == false }

    mutating func recall(_ name: String, takes: Bool, using generator: inout SeededGenerator) -> String? {
        guard let count = values[name]?.count, count > 0 else { return nil }
        let index = Int.random(in: 0..<count, using: &generator)
        guard takes else { return values[name]?[index] }
        // Order does not matter to a random choice; the ring starts over at its first place.
        values[name]?.swapAt(index, count - 1)
        next[name] = 0
        return values[name]?.removeLast()
    }
}
