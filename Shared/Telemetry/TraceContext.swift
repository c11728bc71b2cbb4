/// Which trace the current work belongs to, in the form of W3C Trace Context.
public struct TraceContext: Sendable {
    @TaskLocal public static var current: TraceContext?

    /// The header's value: `00-<trace id>-<span id>-01`.
    public var traceparent: String { "00-\(traceID)-\(spanID)-01" }

    private let traceID: String
    private let spanID: String

    private init(traceID: String, spanID: String) {
        self.traceID = traceID
        self.spanID = spanID
    }

    /// A new trace.
    public init() {
        self.init(traceID: Self.randomHex() + Self.randomHex(), spanID: Self.randomHex())
    }

    /// A new span of the same trace.
    public func child() -> TraceContext {
        TraceContext(traceID: traceID, spanID: Self.randomHex())
    }

    /// Sixteen lower-case hexadecimal digits, never all zero.
    private static func randomHex() -> String {
        let digits = String(UInt64.random(in: 1...UInt64.max), radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
