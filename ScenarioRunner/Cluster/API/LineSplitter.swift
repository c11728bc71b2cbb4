import Foundation

/// Cuts a stream into its lines, wherever the network has cut it.
struct LineSplitter {
    struct LineTooLong: Error {}

    private let limit: Int
    private var rest = Data()

    /// - Parameter limit: bytes of the longest line.
    init(limit: Int) { self.limit = limit }

    /// The lines that `piece` completes, without their ends and without empty ones.
    ///
    /// - Throws: ``LineTooLong``.
    mutating func append(_ piece: Data) throws(LineTooLong) -> [Data] {
        var lines: [Data] = []
        for part in Self.parts(of: piece) {
            guard rest.count + part.bytes.count <= limit else { throw LineTooLong() }
            rest.append(part.bytes)
            guard part.isEnded else { continue }
            if !rest.isEmpty { lines.append(rest) }
            rest = Data()
        }
        return lines
    }

    private static func parts(of piece: Data) -> [(bytes: Data, isEnded: Bool)] {
        var parts: [(Data, Bool)] = []
        var start = piece.startIndex
        while let end = piece[start...].firstIndex(of: UInt8(ascii: "\n")) {
            parts.append((piece[start..<end], true))
            start = end + 1
        }
        if start < piece.endIndex { parts.append((piece[start...], false)) }
        return parts
    }
}
