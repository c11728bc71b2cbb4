/// Where a request stands in a trace, as the header `traceparent` carries it (W3C Trace Context, version 00).
///
/// ```
///   traceparent --> parse or make --> task-local --> log lines, child() --> traceparent of outgoing requests
///                                              '--> traceresponse of the answer
/// ```
///
/// No spans are exported: the ids join the log lines of all services.
public struct TraceContext: Sendable, Equatable {
    /// 32 lower-case hexadecimal digits, not all zero.
    public let traceID: String
    /// 16 lower-case hexadecimal digits, not all zero: this hop.
    public let spanID: String
    /// Two hexadecimal digits: bit 0 is sampled, bit 1 says that the trace id is random.
    public let flags: String

    /// The context of the request that the current task works for.
    @TaskLocal public static var current: TraceContext?

    /// The start of a new trace.
    public init() {
        traceID = Self.hex(UInt64.random(in: 1...UInt64.max)) + Self.hex(UInt64.random(in: 1...UInt64.max))
        spanID = Self.hex(UInt64.random(in: 1...UInt64.max))
        flags = "01"
    }

    /// The sender's context, or nil when the header is not valid: then start a new trace (W3C, section 2.2).
    public init?(traceparent: String) {
        let parts = traceparent.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count >= 4, parts[0] != "ff", parts[0] != "00" || parts.count == 4,
            zip(parts, [2, 32, 16, 2]).allSatisfy({ Self.isHex($0, digits: $1) }),
            parts[1].contains(where: { $0 != "0" }), parts[2].contains(where: { $0 != "0" })
        else { return nil }
        // Bits that version 00 does not define are not sent on (W3C, section 3.2.2.5).
        let flags = (UInt8(parts[3], radix: 16) ?? 0) & 0b11
        self.init(traceID: String(parts[1]), spanID: String(parts[2]), flags: "0\(flags)")
    }

    private init(traceID: String, spanID: String, flags: String) {
        self.traceID = traceID
        self.spanID = spanID
        self.flags = flags
    }

    /// The next hop of the same trace.
    public func child() -> TraceContext {
        TraceContext(traceID: traceID, spanID: Self.hex(UInt64.random(in: 1...UInt64.max)), flags: flags)
    }

    /// The value of the header `traceparent`, and of `traceresponse`.
    public var traceparent: String { "00-\(traceID)-\(spanID)-\(flags)" }

    private static func hex(_ value: UInt64) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    private static func isHex(_ text: Substring, digits: Int) -> Bool {
        text.utf8.count == digits && text.utf8.allSatisfy { (48...57).contains($0) || (97...102).contains($0) }
    }
}
