import Foundation

/// A moment of wall time, for records and answers. Durations are never computed from it: the wall clock jumps.
public struct UnixTime: Sendable, Hashable, Comparable, Codable {
    /// Milliseconds since 1970, UTC.
    public let milliseconds: Int64

    public init(milliseconds: Int64) { self.milliseconds = milliseconds }

    public static var now: UnixTime { UnixTime(milliseconds: Int64(Date().timeIntervalSince1970 * 1000)) }

    /// Seconds with fractions, as `timestamp` in every answer.
    public var seconds: Double { Double(milliseconds) / 1000 }

    public func advanced(bySeconds seconds: Int) -> UnixTime {
        UnixTime(milliseconds: milliseconds + Int64(seconds) * 1000)
    }

    public static func < (left: UnixTime, right: UnixTime) -> Bool { left.milliseconds < right.milliseconds }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        // Rounded: 0.001 has no exact binary fraction, and truncation would lose a millisecond on the way through JSON.
        guard let milliseconds = Int64(exactly: (try container.decode(Double.self) * 1000).rounded()) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "No such time.")
        }
        self.milliseconds = milliseconds
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(seconds)
    }
}
