import Foundation

/// Whether bytes are one JSON document in UTF-8 as RFC 8259 has it, with no name twice in an object (RFC 7493, 2.3).
///
/// `JSONDecoder` is more lenient: it takes a comma before a closing brace, digits after a leading zero in members that
/// nobody reads, UTF-16, and of two amounts the first where others take the last. What parsers read in different ways
/// must not enter a payment.
struct JSONSyntax {
    /// Levels of arrays and objects; `JSONDecoder` itself refuses more than 512.
    static let maxDepth = 500

    static func isValid(_ bytes: some Sequence<UInt8>) -> Bool {
        let bytes = Array(bytes)
        guard String(validating: bytes, as: UTF8.self) != nil else { return false }
        var syntax = JSONSyntax(bytes: bytes)
        return syntax.value(depth: 0) && syntax.position == bytes.count
    }

    private let bytes: [UInt8]
    private var position = 0

    private init(bytes: [UInt8]) { self.bytes = bytes }

    /// A value with the white space around it.
    private mutating func value(depth: Int) -> Bool {
        skipSpace()
        let isValid =
            switch next {
            case UInt8(ascii: "{"): object(depth: depth)
            case UInt8(ascii: "["): container(end: "]", depth: depth) { $0.value(depth: depth + 1) }
            case UInt8(ascii: "\""): string()
            case UInt8(ascii: "t"): literal("true")
            case UInt8(ascii: "f"): literal("false")
            case UInt8(ascii: "n"): literal("null")
            default: number()
            }
        skipSpace()
        return isValid
    }

    private mutating func container(
        end: Unicode.Scalar, depth: Int, element: (inout JSONSyntax) -> Bool
    ) -> Bool {
        guard depth < Self.maxDepth else { return false }
        position += 1
        skipSpace()
        if take(end) { return true }
        repeat {
            guard element(&self) else { return false }
        } while take(",")
        return take(end)
    }

    private mutating func object(depth: Int) -> Bool {
        var names: Set<String> = []
        return container(end: "}", depth: depth) { syntax in
            guard let name = syntax.name(), names.insert(name).inserted else { return false }
            return syntax.take(":") && syntax.value(depth: depth + 1)
        }
    }

    /// The name of a member, unescaped, with the white space around it.
    private mutating func name() -> String? {
        skipSpace()
        let start = position
        guard next == UInt8(ascii: "\""), string() else { return nil }
        let quoted = bytes[start..<position]
        skipSpace()
        guard quoted.contains(UInt8(ascii: "\\")) else {
            return String(decoding: quoted.dropFirst().dropLast(), as: UTF8.self)
        }
        return try? JSONDecoder().decode(String.self, from: Data(quoted))
    }

    private mutating func string() -> Bool {
        position += 1
        while let byte = next {
            position += 1
            switch byte {
            case UInt8(ascii: "\""): return true
            case UInt8(ascii: "\\"): guard escape() else { return false }
            case 0..<0x20: return false
            default: continue
            }
        }
        return false
    }

    private mutating func escape() -> Bool {
        if take("u") {
            let digits = bytes[position...].prefix(4)
            position += digits.count
            return digits.count == 4 && digits.allSatisfy { Character(Unicode.Scalar($0)).isHexDigit }
        }
        return "\"\\/bfnrt".unicodeScalars.contains { take($0) }
    }

    private mutating func number() -> Bool {
        _ = take("-")
        guard take("0") || digits() else { return false }
        if take("."), !digits() { return false }
        guard take("e") || take("E") else { return true }
        _ = take("+") || take("-")
        return digits()
    }

    /// One digit or more.
    private mutating func digits() -> Bool {
        let start = position
        while let byte = next, (48...57).contains(byte) { position += 1 }
        return position > start
    }

    private mutating func literal(_ text: StaticString) -> Bool {
        text.withUTF8Buffer { expected in
            guard bytes[position...].starts(with: expected) else { return false }
            position += expected.count
            return true
        }
    }

    private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func take(_ wanted: Unicode.Scalar) -> Bool {
        guard next == UInt8(ascii: wanted) else { return false }
        position += 1
        return true
    }

    private mutating func skipSpace() {
        while let byte = next, [0x20, 0x09, 0x0A, 0x0D].contains(byte) { position += 1 }
    }
}
