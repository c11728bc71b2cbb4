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

    @Test func tooManyPagesAreTurnedAway() async throws {
        let others = try (0..<EventHub.maxSubscribers).map { _ in try #require(hub.subscribe()) }
        try await withServer(routes: routes) { server in
            let answer = try await server.get("/api/events")
            #expect(answer.status == 503 && answer.headers["retry-after"] == "10")
        }
        #expect(others.count == hub.subscriberCount)
    }
}
