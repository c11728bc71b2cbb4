import TestSupport
import Testing

@testable import Shared

/// `POST /items`: one write of a store, and nothing said about its errors.
func itemRoute(_ store: any Shared.Database) -> Route {
    .post("/items") { request, _ in
        let name = try await request.json(JSONValue.self)["name"]?.text ?? ""
        try await store.insertItem(name)
        return try .json(["name": name])
    }
}

func expectBusy(_ answer: WireResponse) throws {
    #expect(answer.status == 503, "\(answer.text)")
    #expect(answer.headers["retry-after"] == "1")
    #expect(answer.headers["content-type"] == "application/problem+json; charset=utf-8")
    #expect(try answer.json()["retry_after"] == .integer(1))
}

@Suite("What a server answers for its store", .timeLimit(.minutes(1)))
struct HTTPServerStoreTests {
    @Test("503 with Retry-After when the turn to write does not come, and 200 when it does")
    func busy() async throws {
        var configuration = SQLiteConfiguration()
        configuration.waitTimeout = .milliseconds(50)
        try await withItemStore(configuration) { store, path in
            try await withServer(routes: [itemRoute(store)]) { server in
                let holder = try await TurnHolder(path: path)
                try expectBusy(await server.post("/items", json: #"{"name":"late"}"#))
                #expect(server.log.text.contains("the store is busy"))
                holder.release()
                try await eventually { try await server.post("/items", json: #"{"name":"next"}"#).status == 200 }
            }
            #expect(try await store.itemNames() == ["next"])
        }
    }

    @Test("503 at once when too many writes wait already")
    func full() async throws {
        var configuration = SQLiteConfiguration()
        configuration.maximumWaiting = 1
        try await withItemStore(configuration) { store, path in
            try await withServer(routes: [itemRoute(store)]) { server in
                let holder = try await TurnHolder(path: path)
                async let first: Void = { _ = try await store.insertItem("first") }()
                try await eventually { store.waitingWrites == 1 }
                try expectBusy(await server.post("/items", json: #"{"name":"late"}"#))
                holder.release()
                try await first
            }
            #expect(try await store.itemNames() == ["first"])
        }
    }

    @Test("503 when the store is closed, which is no surprise in a shutdown; 500 for what is one")
    func closed() async throws {
        try await withItemStore { store, _ in
            try await withServer(routes: [itemRoute(store)]) { server in
                #expect(try await server.post("/items", json: #"{"name":"a"}"#).status == 200)
                #expect(try await server.post("/items", json: #"{"name":"a"}"#).status == 500)
                await store.close()
                try expectBusy(await server.post("/items", json: #"{"name":"b"}"#))
            }
        }
    }
}
