import Shared
import Testing

struct TraceContextTests {
    private static let traceID = "0af7651916cd43dd8448eb211c80319c"
    private static let spanID = "b7ad6b7169203331"

    @Test(arguments: [
        ("00", "01", "01"), ("00", "00", "00"), ("00", "02", "02"), ("00", "03", "03"),
        // Bits that the version does not define are not sent on.
        ("00", "ff", "03"), ("00", "04", "00"), ("01", "09", "01"), ("cc", "01", "01"),
    ])
    func readsAndSendsOn(version: String, flags: String, sentFlags: String) throws {
        let header = "\(version)-\(Self.traceID)-\(Self.spanID)-\(flags)"
        let context = try #require(TraceContext(traceparent: header))
        #expect(context.traceparent == "00-\(Self.traceID)-\(Self.spanID)-\(sentFlags)")
        let child = context.child()
        #expect(child.traceID == Self.traceID)
        #expect(child.spanID != Self.spanID)
        #expect(child.traceparent.hasSuffix("-\(sentFlags)"))
        #expect(TraceContext(traceparent: child.traceparent) == child)
    }

    @Test func laterVersionsMayHaveMoreFields() {
        #expect(TraceContext(traceparent: "01-\(Self.traceID)-\(Self.spanID)-01-what-the-future-holds") != nil)
        #expect(TraceContext(traceparent: "01-\(Self.traceID)-\(Self.spanID)-01") != nil)
    }

    @Test(arguments: [
        "", "-", "00", "00-\(traceID)-\(spanID)", "00-\(traceID)-\(spanID)-01-more", "00-\(traceID)-\(spanID)-01-",
        "ff-\(traceID)-\(spanID)-01", "0-\(traceID)-\(spanID)-01", "000-\(traceID)-\(spanID)-01",
        "00-\(String(repeating: "0", count: 32))-\(spanID)-01", "00-\(traceID)-0000000000000000-01",
        "00-\(traceID.uppercased())-\(spanID)-01", "00-\(traceID)-\(spanID.uppercased())-01",
        "00-\(traceID.dropLast())-\(spanID)-01", "00-\(traceID)0-\(spanID)-01", "00-\(traceID)-\(spanID)-1",
        "00-\(traceID)-\(spanID)-0g", "00-\(traceID)-\(spanID)-01 ", "0x-\(traceID)-\(spanID)-01",
        "00-\(traceID)-\(spanID)-01, 00-\(traceID)-\(spanID)-01", "01-\(traceID)-\(spanID)-01.more",
    ])
    func isNotValid(header: String) { #expect(TraceContext(traceparent: header) == nil) }

    @Test func newTracesAreValidAndDifferent() {
        let contexts = (0..<1000).map { _ in TraceContext() }
        #expect(Set(contexts.map(\.traceID)).count == 1000)
        #expect(contexts.allSatisfy { TraceContext(traceparent: $0.traceparent) == $0 })
    }
}
