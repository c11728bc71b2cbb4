import Experiments

/// A text with places to fill in for each request.
///
/// * `${choice:1,2,5}`: one of the values, evenly.
/// * `${uuid}`: a random version 4 UUID.
public struct TextTemplate: Sendable, Equatable {
    private enum Part: Sendable, Equatable {
        case literal(String)
        case choice([String])
        case uuid
    }

    private let parts: [Part]

    /// - Throws: ``LoadPlanError`` for an unknown or unclosed placeholder, or a choice of nothing.
    public init(_ text: String) throws(LoadPlanError) {
        var parts: [Part] = []
        var rest = Substring(text)
        while let start = rest.firstRange(of: "${") {
            parts.append(.literal(String(rest[..<start.lowerBound])))
            guard let end = rest[start.upperBound...].firstIndex(of: "}") else {
                throw LoadPlanError("'\(rest[start.lowerBound...])' is not closed: write ${uuid} or ${choice:1,2}")
            }
            parts.append(try Self.placeholder(rest[start.upperBound..<end]))
            rest = rest[rest.index(after: end)...]
        }
        parts.append(.literal(String(rest)))
        self.parts = parts
    }

    private static func placeholder(_ name: Substring) throws(LoadPlanError) -> Part {
        if name == "uuid" { return .uuid }
        let choices = name.dropFirst("choice:".count).split(separator: ",").map(String.init)
        guard name.hasPrefix("choice:"), !choices.isEmpty else {
            throw LoadPlanError("'${\(name)}' is not known: write ${uuid} or ${choice:1,2}")
        }
        return .choice(choices)
    }

    /// - Parameters:
    ///   - choices: decides what is asked for; the same seed asks for the same.
    ///   - keys: decides what must be unique, such as idempotency keys.
    func render(
        choices: inout some RandomNumberGenerator, keys: inout some RandomNumberGenerator
    ) -> String {
        var text = ""
        for part in parts {
            switch part {
            case .literal(let literal): text += literal
            case .choice(let values): text += values[Int.random(in: values.indices, using: &choices)]
            case .uuid: text += Self.uuid(using: &keys)
            }
        }
        return text
    }

    /// RFC 9562, version 4, from the given generator.
    private static func uuid(using generator: inout some RandomNumberGenerator) -> String {
        let high = generator.next() & 0xffff_ffff_ffff_0fff | 0x4000
        let low = generator.next() & 0x3fff_ffff_ffff_ffff | 0x8000_0000_0000_0000
        let digits = [high, low].map { word in
            let hex = String(word, radix: 16)
            return String(repeating: "0", count: 16 - hex.count) + hex
        }.joined()
        var rest = Substring(digits)
        return [8, 4, 4, 4, 12].map { length in
            defer { rest = rest.dropFirst(length) }
            return String(rest.prefix(length))
        }.joined(separator: "-")
    }
}
