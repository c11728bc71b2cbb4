import Foundation

/// Finds card numbers where none belongs: in ids, keys and texts, which are stored and logged.
///
/// ```
///   4242424242424242 | 4242 4242 4242 4242 | 3782-822463-10005    found, in words or between signs
///   44d4242424242424242 | 550e8400-e29b-41d4-a716-446655440000    parts of other names
/// ```
///
/// A number is 13 to 19 digits (ISO/IEC 7812-1) that ``Card`` takes for a valid one of a brand that it knows. They stand
/// together, or in groups as they are printed on a card: 4 to 6 digits, then groups of 3 to 6, with spaces or hyphens
/// between. No letter or further digit touches them, so that a UUID, whose longest group has 12 and whose groups of 4 make
/// 12 together, is never found; nor is a time since 1970 in any unit, for no brand begins with 1. Of the numbers of 16
/// digits that begin with 4, one in ten is.
public enum CardNumbers {
    private static let lengths = 13...19
    private static let firstGroup = 4...6
    private static let laterGroup = 3...6

    /// What a client is told of a field that has one; it does not repeat it.
    public static let refusal = "must not contain a card number"

    /// Whether a card number is part of `text`.
    public static func areIn(_ text: String) -> Bool { !ranges(in: Array(text.utf8)).isEmpty }

    /// The path of a request as it may be logged and answered: as it is or, where a card number is part of it, decoded and
    /// with no more than the last four digits.
    public static func masked(path: String) -> String {
        // Most paths, which need not be decoded for it: an encoded digit is two.
        guard path.utf8.count(where: isDigit) >= lengths.lowerBound else { return path }
        let decoded = path.removingPercentEncoding ?? path
        var bytes = Array(decoded.utf8)
        let found = ranges(in: bytes)
        guard !found.isEmpty else { return path }
        for range in found {
            for index in range.dropLast(4) where isDigit(bytes[index]) { bytes[index] = UInt8(ascii: "*") }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Where the numbers stand, from left to right; they do not overlap.
    private static func ranges(in bytes: [UInt8]) -> [Range<Int>] {
        var found: [Range<Int>] = []
        let groups = digitGroups(of: bytes)
        for (index, group) in groups.enumerated() where group.lowerBound >= found.last?.upperBound ?? 0 {
            if let range = number(from: index, groups, bytes) { found.append(range) }
        }
        return found
    }

    /// The number that begins with a group: the group alone, or with those after it.
    private static func number(from first: Int, _ groups: [Range<Int>], _ bytes: [UInt8]) -> Range<Int>? {
        if lengths.contains(groups[first].count) { return isCard(bytes[groups[first]]) ? groups[first] : nil }
        guard firstGroup.contains(groups[first].count) else { return nil }
        var (range, digits) = (groups[first], groups[first].count)
        for group in groups[(first + 1)...] {
            digits += group.count
            guard laterGroup.contains(group.count), digits <= lengths.upperBound,
                bytes[range.upperBound..<group.lowerBound].allSatisfy(isSeparator)
            else { return nil }
            range = range.lowerBound..<group.upperBound
            if lengths.contains(digits), isCard(bytes[range]) { return range }
        }
        return nil
    }

    /// Runs of digits that no letter touches.
    private static func digitGroups(of bytes: [UInt8]) -> [Range<Int>] {
        var groups: [Range<Int>] = []
        var start = 0
        while start < bytes.count {
            guard isDigit(bytes[start]) else {
                start += 1
                continue
            }
            let end = bytes[start...].firstIndex { !isDigit($0) } ?? bytes.count
            let isTouched = (start > 0 && isLetter(bytes[start - 1])) || (end < bytes.count && isLetter(bytes[end]))
            if !isTouched { groups.append(start..<end) }
            start = end
        }
        return groups
    }

    private static func isCard(_ bytes: ArraySlice<UInt8>) -> Bool {
        guard let card = Card(number: String(decoding: bytes, as: UTF8.self)) else { return false }
        return card.brand != .unknown && card.isValid
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
    private static func isLetter(_ byte: UInt8) -> Bool {
        // The bit that tells capitals from small letters.
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }
    private static func isSeparator(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "-") }
}
