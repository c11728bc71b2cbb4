/// Percent-encoding for text that becomes part of a URL.
public enum URLEscape {
    /// `text` as one path segment: the unreserved characters of RFC 3986 section 2.3 stay, every other byte of its
    /// UTF-8 becomes `%XX`. So no input can add a segment, a query or a fragment.
    ///
    /// `.` and `..` stay as they are, for RFC 3986 takes `%2E` and `.` for the same thing; ``HTTPClient`` sends
    /// paths as they are given and never folds dot segments.
    public static func pathSegment(_ text: String) -> String {
        if text.utf8.allSatisfy(isUnreserved) { return text }
        var escaped: [UInt8] = []
        escaped.reserveCapacity(text.utf8.count * 3)
        for byte in text.utf8 {
            if isUnreserved(byte) {
                escaped.append(byte)
            } else {
                escaped += [UInt8(ascii: "%"), hexDigit(byte >> 4), hexDigit(byte & 0x0F)]
            }
        }
        return String(decoding: escaped, as: UTF8.self)
    }

    private static func isUnreserved(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"):
            true
        default:
            false
        }
    }

    private static func hexDigit(_ nibble: UInt8) -> UInt8 {
        nibble < 10 ? UInt8(ascii: "0") + nibble : UInt8(ascii: "A") + nibble - 10
    }
}
