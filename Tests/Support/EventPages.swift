import Foundation
import Synchronization

/// Open pages, each with an event stream of its own on a real socket.
///
/// Nothing is read but in ``read()``, which takes what has arrived and never waits; pages that are not read fill up.
public final class EventPages: Sendable {
    public struct Event: Sendable, Equatable {
        /// Its place among the events of the runner.
        public let number: Int
        public let name: String
        /// Of the first page only: the others are told the same.
        public let data: String
    }

    fileprivate struct Page {
        let connection: RawConnection
        var rest = Data()
        var events: [Event] = []
        var hasEnded = false
    }
    private let pages: Mutex<[Page]>

    /// - Parameter receiveBufferBytes: what the kernel keeps for a page that does not read; nil for its usual.
    public init(port: Int, count: Int, receiveBufferBytes: Int32? = nil) async throws {
        var pages: [Page] = []
        for _ in 0..<count {
            let connection = try RawConnection(port: port, receiveBufferBytes: receiveBufferBytes)
            try await connection.send(
                "GET /api/events HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\nAccept: text/event-stream\r\n\r\n")
            pages.append(Page(connection: connection))
        }
        self.pages = Mutex(pages)
    }

    /// Of each page, in the order in which they came.
    public var events: [[Event]] { pages.withLock { $0.map(\.events) } }

    /// Pages whose stream has been ended by the runner.
    public var endedCount: Int { pages.withLock { $0.count(where: \.hasEnded) } }

    /// Takes what has arrived on all of them.
    public func read() throws {
        try pages.withLock { pages in
            for index in pages.indices where !pages[index].hasEnded {
                while let data = try pages[index].connection.receiveNow() {
                    pages[index].hasEnded = data.isEmpty
                    if data.isEmpty { break }
                    pages[index].take(data, keepsData: index == 0)
                }
            }
        }
    }

    public func close() { pages.withLock { $0.forEach { $0.connection.disconnect() } } }
}

extension EventPages.Page {
    /// The runner writes an event as one chunk, so that its lines are whole; those of the chunked coding are none of
    /// an event's.
    fileprivate mutating func take(_ data: Data, keepsData: Bool) {
        rest.append(data)
        let blank = Data("\n\n".utf8)
        var start = rest.startIndex
        defer { rest = Data(rest[start...]) }
        while let end = rest.range(of: blank, in: start..<rest.endIndex) {
            let lines = String(decoding: rest[start..<end.lowerBound], as: UTF8.self).split(whereSeparator: \.isNewline)
            start = end.upperBound
            func value(_ field: String) -> Substring? {
                lines.last { $0.hasPrefix("\(field): ") }?.dropFirst(field.count + 2)
            }
            guard let name = value("event"), let number = value("id")?.split(separator: "-").last.flatMap({ Int($0) })
            else { continue }
            events.append(
                .init(number: number, name: String(name), data: keepsData ? String(value("data") ?? "") : ""))
        }
    }
}
