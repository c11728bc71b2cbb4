import ServiceTesting
import Shared
import Testing

@testable import NotificationService

@Suite("The books of the notifications")
struct NotificationAuditTests {
    @Test("tell each notification once, in pages, while more are sent")
    func pages() async throws {
        try await withNotification { service in
            #expect(try await service.get("/audit")["next"] == .null)
            for number in 1...6 { _ = try await service.post("/send", #"{"notification_key":"k\#(number)"}"#) }
            _ = try await service.post("/send", "{}")

            var keys: [JSONValue] = []
            var query = "limit=3"
            while true {
                let page = try await service.get("/audit?\(query)")
                #expect(page.status == 200)
                guard case .array(let entries) = page["notifications"] else { break }
                #expect(entries.allSatisfy { $0["id"]?.text?.hasPrefix("NOT-") == true })
                keys += entries.compactMap { $0["key"] }
                guard let next = page["next"]?.text, keys.count < 50 else { break }
                query = "limit=3&after=\(next)"
                if keys.count == 3 { _ = try await service.post("/send", #"{"notification_key":"late"}"#) }
            }
            #expect(keys == (1...6).map { .string("k\($0)") } + [.null, .string("late")])
            // As many as fit exactly are the last page.
            #expect(try await service.get("/audit?limit=8")["next"] == .null)
        }
    }

    @Test("refuse a page of no size, and a cursor that is none")
    func badInput() async throws {
        try await withNotification { service in
            for query in ["limit=0", "limit=501", "after=-1", "after=x", "after="] {
                let answer = try await service.get("/audit?\(query)")
                #expect(answer.status == 422 && answer.isProblem, "\(query)")
            }
        }
    }
}
