import Foundation
import HTTPTypes
import ServiceTesting
import Shared
import TestSupport
import Testing

@testable import NotificationService

@Suite("Notifications over HTTP")
struct NotificationTests {
    @Test("sends with defaults, and remembers what it sent")
    func send() async throws {
        try await withNotification { service in
            let plain = try await service.post("/send", "{}")
            #expect(plain.status == 200)
            #expect(plain["message"] == .string(""))
            #expect(plain["type"] == .string("info"))
            #expect(plain["recipient"] == .string("system"))
            #expect(plain["status"] == .string("sent"))

            let sent = try await service.post("/send", #"{"message":"Grüße\n","type":"payment","recipient":"ada"}"#)
            let id = try #require(sent["id"]?.text)
            #expect(id.hasPrefix("NOT-"))
            let found = try await service.get("/status/\(id)")
            #expect(found.status == 200)
            #expect(found.json == sent.json)
        }
    }

    @Test("sends once a key, whatever the message says the second time")
    func key() async throws {
        try await withNotification { service in
            let first = try await service.post("/send", #"{"message":"one","notification_key":"PAY-1"}"#)
            let second = try await service.post("/send", #"{"message":"two","notification_key":"PAY-1"}"#)
            #expect(second.status == 200 && second.json == first.json)
            #expect(try await service.get("/history")["total_count"] == .integer(1))
        }
    }

    @Test("says what it does not know as the old system did")
    func unknown() async throws {
        try await withNotification { service in
            for id in ["NOT-0", "%00", String(repeating: "a", count: 65)] {
                let answer = try await service.get("/status/\(id)")
                #expect(answer.status == 404)
                #expect(answer["id"] == .string(id))
                #expect(answer["status"] == .string("not_found"))
                #expect(answer["detail"] != nil && answer["error"] == answer["detail"])
                #expect(answer.headers[.contentType]?.hasPrefix("application/problem+json") == true)
            }
        }
    }

    @Test("pages through its history, oldest first")
    func history() async throws {
        try await withNotification { service in
            #expect(try await service.get("/history")["notifications"] == .array([]))
            for number in 1...55 { _ = try await service.post("/send", #"{"message":"\#(number)"}"#) }

            let last = try await service.get("/history")
            #expect(messages(last) == (6...55).map(String.init))
            #expect(last["total_count"] == .integer(55))

            let three = try await service.get("/history?limit=3")
            #expect(messages(three) == ["53", "54", "55"])
            guard case .integer(let cursor) = three["before"] else { return #expect(Bool(false), "no cursor") }
            #expect(messages(try await service.get("/history?limit=3&before=\(cursor)")) == ["50", "51", "52"])
            let first = try await service.get("/history?limit=500")
            #expect(messages(first).count == 55 && first["before"] == nil)

            for query in ["limit=0", "limit=501", "limit=x", "limit=", "before=0", "before=-1", "before=x"] {
                let answer = try await service.get("/history?\(query)")
                #expect(answer.status == 422 && answer.isProblem, "\(query)")
            }
        }
    }

    @Test("refuses bad input")
    func badInput() async throws {
        try await withNotification { service in
            #expect(try await BadBodies.failures(service, "/send") == [])
            let bodies = [
                #"{"message":null}"#, #"{"message":5}"#, #"{"type":""}"#, #"{"type":[]}"#, #"{"recipient":null}"#,
                #"{"recipient":{}}"#, #"{"notification_key":null}"#, #"{"message":"\u0000"}"#,
                #"{"message":"\#(String(repeating: "x", count: 4097))"}"#,
            ]
            for body in bodies {
                let answer = try await service.post("/send", body)
                #expect(answer.status == 422 && answer.isProblem, "\(body.prefix(40)): \(answer.text)")
            }
            let longest = #"{"message":"\#(String(repeating: "é", count: 4096))"}"#
            #expect(try await service.post("/send", longest).status == 200)
            #expect(try await service.get("/history")["total_count"] == .integer(1))
        }
    }

    @Test("loses nothing when many send at once to two replicas, nor across a restart")
    func replicas() async throws {
        try await withTemporaryFolder { folder in
            try await withNotification(in: folder) { first in
                try await withNotification(in: folder) { second in
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        for number in 0..<60 {
                            group.addTask {
                                let service = number.isMultiple(of: 2) ? first : second
                                // Every key comes twice, once on each replica.
                                let body = #"{"message":"m","notification_key":"k\#(number / 2)"}"#
                                let answer = try await service.post("/send", body)
                                #expect(answer.status == 200)
                            }
                        }
                        try await group.waitForAll()
                    }
                }
            }
            try await withNotification(in: folder) { service in
                let history = try await service.get("/history")
                #expect(history["total_count"] == .integer(30))
                #expect(messages(history).count == 30)
            }
        }
    }

    @Test("describes itself: every endpoint stands in its OpenAPI document")
    func openAPI() async throws {
        try await withNotification { service in
            let home = try await service.get("/")
            let document = try await service.get("/openapi.yaml")
            #expect(
                try OpenAPIDocument.endpoints(in: document.text) == OpenAPIDocument.endpoints(listedIn: home))
            #expect(try await service.get("/health")["service"] == .string("notification-service"))
        }
    }

    private func messages(_ history: TestAnswer) -> [String] {
        guard case .array(let notifications) = history["notifications"] else { return [] }
        return notifications.compactMap { $0["message"]?.text }
    }
}

/// Runs the notification service on a database in `folder`, or in a folder of its own.
func withNotification(
    in folder: URL? = nil, _ body: @escaping @Sendable (TestClient) async throws -> Void
) async throws {
    guard let folder else { return try await withTemporaryFolder { try await withNotification(in: $0, body) } }
    let database = try await openStore("notification", in: folder, migrations: NotificationStore.migrations)
    var settings = NotificationSettings()
    (settings.host, settings.port) = ("127.0.0.1", 0)
    let logger = LogLines().logger()
    try await withHTTPClient { client in
        try await withServices(logger: logger) { [settings] in
            buildNotification(
                settings: settings, database: database, client: client, logger: logger, onServerRunning: $0)
        } body: {
            try await body(TestClient(client, $0))
        }
    }
    await database.close()
}
