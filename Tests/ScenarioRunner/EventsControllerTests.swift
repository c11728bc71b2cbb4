import Foundation
import Shared
import TestSupport
import Testing

@testable import ScenarioRunner

/// Server-sent events over real sockets.
struct EventsControllerTests {
    private let hub = EventHub()

    private var routes: [Route] {
        EventsController(hub: hub, snapshot: { EventHub.Event(name: "snapshot", value: ["runs": 0]) }).routes
    }

    private func open(_ server: TestServer) async throws -> RawConnection {
        let connection = try RawConnection(port: server.port)
        try await connection.send("GET /api/events HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\n\r\n")
        try await connection.receive(until: "data: {\"runs\":0}\n\n")
        return connection
    }

    @Test func theSnapshotComesFirstThenEventsAsTheyHappen() async throws {
        try await withServer(routes: routes) { server in
            let page = try await open(server)
            hub.publish("second", ["success": 100])
            let text = try await page.receive(until: "data: {\"success\":100}\n\n")
            #expect(text.hasPrefix("HTTP/1.1 200 OK\r\n"))
            #expect(text.lowercased().contains("content-type: text/event-stream; charset=utf-8\r\n"))
            #expect(text.lowercased().contains("cache-control: no-store\r\n"))
            #expect(text.lowercased().contains("transfer-encoding: chunked\r\n"))
            page.disconnect()
        }
    }

    @Test func aPageThatComesBackGoesOnWhereItWas() async throws {
        try await withServer(routes: routes) { server in
            hub.publish("second", ["success": 1])
            let heard = try #require(hub.subscribe(after: nil)).lastID
            hub.publish("second", ["success": 2])
            let page = try RawConnection(port: server.port)
            try await page.send("GET /api/events HTTP/1.1\r\nHost: a\r\nLast-Event-ID: \(heard)\r\n\r\n")
            let text = try await page.receive(until: "data: {\"success\":2}\n\n")
            #expect(!text.contains("snapshot") && !text.contains("{\"success\":1}"))
            page.disconnect()
            let stranger = try RawConnection(port: server.port)
            try await stranger.send("GET /api/events HTTP/1.1\r\nHost: a\r\nLast-Event-ID: gone-1\r\n\r\n")
            try await stranger.receive(until: "\nevent: snapshot\n")
            stranger.disconnect()
        }
    }

    @Test func aPageThatClosesIsNoSubscriberAnyMore() async throws {
        try await withServer(routes: routes) { server in
            let pages = [try await open(server), try await open(server)]
            #expect(hub.subscriberCount == 2)
            for page in pages { page.disconnect() }
            try await eventually { hub.subscriberCount == 0 }
        }
    }

    @Test func headLeavesNoSubscriber() async throws {
        try await withServer(routes: routes) { server in
            let answer = try await server.send("HEAD", "/api/events")
            #expect(answer.status == 200 && answer.body.isEmpty)
            try await eventually { hub.subscriberCount == 0 }
        }
    }

    @Test func shuttingDownEndsTheStreams() async throws {
        try await withServer(routes: routes) { server in
            let page = try await open(server)
            await server.shutDown()
            let text = String(decoding: try await page.receiveToEnd(), as: UTF8.self)
            #expect(text.hasSuffix("0\r\n\r\n"), "the stream has an orderly end")
            try await eventually { hub.subscriberCount == 0 }
        }
    }

    @Test func aPageThatDoesNotReadSkipsEventsAndHoldsUpNobody() async throws {
        try await withServer(routes: routes) { server in
            let readers = try await EventPages(port: server.port, count: 3)
            let sleeper = try await EventPages(port: server.port, count: 1, receiveBufferBytes: 4096)
            try await eventually("four pages") { hub.subscriberCount == 4 }
            let text = String(repeating: "x", count: 8192)
            // Together more than the kernel's buffers and the hub's hold; in parts that a page which reads keeps up with.
            for part in 1...20 {
                for _ in 1...50 { hub.publish("second", text) }
                try await eventually("part \(part)") {
                    try readers.read()
                    return readers.events.allSatisfy { $0.last?.number == part * 50 }
                }
            }
            let all = [0] + Array(1...1000)
            for events in readers.events { #expect(events.map(\.number) == all) }

            try await eventually("the newest event") {
                try sleeper.read()
                return sleeper.events[0].last?.number == 1000
            }
            let heard = sleeper.events[0].map(\.number)
            #expect(heard.count < 1000, "it has lost some")
            #expect(heard == heard.sorted() && Set(heard).count == heard.count)
            #expect(Array(heard.suffix(EventHub.bufferedEvents)) == Array(all.suffix(EventHub.bufferedEvents)))
            readers.close()
            sleeper.close()
        }
    }

    @Test func tooManyPagesAreTurnedAway() async throws {
        let others = try (0..<EventHub.maxSubscribers).map { _ in try #require(hub.subscribe()) }
        try await withServer(routes: routes) { server in
            let answer = try await server.get("/api/events")
            #expect(answer.status == 503 && answer.headers["retry-after"] == "10")
        }
        #expect(others.count == hub.subscriberCount)
    }
}
