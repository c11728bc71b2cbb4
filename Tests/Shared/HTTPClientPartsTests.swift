import HTTPTypes
import Testing

@testable import Shared

struct URLEscapeTests {
    @Test(arguments: [
        ("", ""), ("1", "1"), ("azAZ09-._~", "azAZ09-._~"), ("../list", "..%2Flist"), ("a/b?c", "a%2Fb%3Fc"),
        ("ü", "%C3%BC"), ("a b#%+\r\n", "a%20b%23%25%2B%0D%0A"), ("😀", "%F0%9F%98%80"),
    ])
    func pathSegment(text: String, escaped: String) {
        #expect(URLEscape.pathSegment(text) == escaped)
    }
}

struct DeadlineQueueTests {
    private final class Entry: DeadlineEntry {
        let deadline: ContinuousClock.Instant
        var deadlineIndex: Int?

        init(_ deadline: ContinuousClock.Instant) { self.deadline = deadline }
    }

    /// Against the obvious: the minimum of a list, through random insertions and removals.
    @Test func earliestIsAlwaysTheMinimum() {
        let start = ContinuousClock.now
        var random = SplitMix(state: 7)
        var queue = DeadlineQueue<Entry>()
        var entries: [Entry] = []
        for _ in 0..<5000 {
            if entries.isEmpty || Int.random(in: 0..<5, using: &random) < 3 {
                let entry = Entry(start.advanced(by: .milliseconds(Int.random(in: 0..<1000, using: &random))))
                entries.append(entry)
                queue.insert(entry)
            } else {
                let entry = entries.remove(at: Int.random(in: entries.indices, using: &random))
                queue.remove(entry)
                queue.remove(entry)
                #expect(entry.deadlineIndex == nil)
            }
            #expect(queue.earliest?.deadline == entries.map(\.deadline).min())
        }
        while let entry = queue.earliest { queue.remove(entry) }
        #expect(queue.isEmpty)
        #expect(entries.allSatisfy { $0.deadlineIndex == nil })
    }

    private struct SplitMix: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }
    }
}

struct ResponseHeadTests {
    private func parse(_ head: String, maxFields: Int = 10) -> HTTPFields? {
        ResponseHead.fields(in: Array(head.utf8), maxFields: maxFields)
    }

    @Test func fieldsAreRead() throws {
        let fields = try #require(
            parse("HTTP/1.1 200 OK\r\nA:1\r\na: \t two words \t\r\nEmpty:\r\nWith-Colon: b:c\r\n\r\n"))
        let a = try #require(HTTPField.Name("A"))
        #expect(fields[values: a] == ["1", "two words"])
        let empty = try #require(HTTPField.Name("Empty"))
        #expect(fields[empty] == "")
        let withColon = try #require(HTTPField.Name("With-Colon"))
        #expect(fields[withColon] == "b:c")
    }

    @Test(arguments: ["A", " folded", "A B: 1", ": 1", "A : 1", "ü: 1"])
    func linesThatAreNoFields(line: String) {
        #expect(parse("HTTP/1.1 200 OK\r\nX: 1\r\n\(line)\r\n\r\n") == nil)
    }

    @Test func numberOfFieldsIsLimited() {
        let ten = "HTTP/1.1 200 OK\r\n" + String(repeating: "A: 1\r\n", count: 10)
        #expect(parse(ten)?.count == 10)
        #expect(parse(ten + "A: 1\r\n") == nil)
    }
}
