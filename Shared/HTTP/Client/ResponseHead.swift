import HTTPTypes

/// Reads the header fields of an answer.
enum ResponseHead {
    /// The fields in `head`, the bytes from the status line to the empty line, or nil when they are not HTTP or
    /// more than `maxFields`.
    ///
    /// Folded lines, which RFC 9112 section 5.2 has forbidden servers to send, count as malformed.
    static func fields(in head: [UInt8], maxFields: Int) -> HTTPFields? {
        var fields = HTTPFields()
        for line in head.split(separator: UInt8(ascii: "\n")).dropFirst() {
            let line = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
            if line.isEmpty { continue }
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")),
                let name = HTTPField.Name(String(decoding: line[..<colon], as: UTF8.self)),
                fields.count < maxFields
            else { return nil }
            fields.append(HTTPField(name: name, value: trimmed(line[(colon + 1)...])))
        }
        return fields
    }

    private static func trimmed(_ value: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var value = value
        while let first = value.first, isBlank(first) { value.removeFirst() }
        while let last = value.last, isBlank(last) { value.removeLast() }
        return value
    }

    private static func isBlank(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t")
    }
}
