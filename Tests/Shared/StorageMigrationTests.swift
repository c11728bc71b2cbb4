import TestSupport
import Testing

@testable import Shared

@Suite("Stores: migrations", .timeLimit(.minutes(2)))
struct StorageMigrationTests {
    private let history = [
        Migration("v1 log", "CREATE TABLE log (number BIGINT NOT NULL, line TEXT NOT NULL)"),
        Migration("v2 first", "\(adding("v2")); \(adding("v2 again"))"),
        Migration("v3 second", adding("v3")),
    ]

    /// Numbers the lines in the order of their coming.
    private static func adding(_ line: String) -> String { "INSERT INTO log SELECT COUNT(*), '\(line)' FROM log" }

    private func lines(_ store: any Database) async throws -> [String] {
        try await store.read { try $0.query("SELECT line FROM log ORDER BY number").map { try $0.text("line") } }
    }

    private func failure(_ place: StorePlace, _ migrations: [Migration]) async throws -> String {
        let error = await #expect(throws: StoreError.self) { _ = try await place.open(migrations) }
        guard case .failed(let text) = error else { throw try #require(error) }
        return text
    }

    @Test(
        "Replicas that open one new store at once apply each migration once, in order",
        arguments: DatabaseKind.allCases)
    func together(kind: DatabaseKind) async throws {
        try await withStorePlace(kind) { place in
            let stores = try await withThrowingTaskGroup(of: (any Database).self) { group in
                for _ in 0..<8 { group.addTask { try await place.open(history) } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            for store in stores {
                #expect(try await lines(store) == ["v2", "v2 again", "v3"])
                await store.close()
            }
        }
    }

    @Test(
        "A newer version applies what is new; an older one opens what a newer one has migrated",
        arguments: DatabaseKind.allCases)
    func versions(kind: DatabaseKind) async throws {
        try await withStorePlace(kind) { place in
            let old = try await place.open(Array(history.prefix(2)))
            #expect(try await lines(old) == ["v2", "v2 again"])
            let new = try await place.open(history)
            #expect(try await lines(old) == ["v2", "v2 again", "v3"])
            await old.close()
            await new.close()
            let older = try await place.open(Array(history.prefix(1)))
            #expect(try await lines(older).count == 3)
            await older.close()
        }
    }

    @Test("A migration that fails is undone as a whole, named, and can be mended", arguments: DatabaseKind.allCases)
    func failing(kind: DatabaseKind) async throws {
        try await withStorePlace(kind) { place in
            let broken = Migration("v4 broken", "\(Self.adding("v4")); INSERT INTO absent VALUES (1)")
            #expect(try await failure(place, history + [broken]) == "migration 'v4 broken': \(kind.absentTable)")
            let store = try await place.open(history + [Migration("v4 broken", Self.adding("mended"))])
            #expect(try await lines(store) == ["v2", "v2 again", "v3", "mended"])
            await store.close()
        }
    }

    @Test("Migrations out of order and names used twice are refused", arguments: DatabaseKind.allCases)
    func disorder(kind: DatabaseKind) async throws {
        try await withStorePlace(kind) { place in
            #expect(try await failure(place, history + [history[0]]).contains("two migrations are called 'v1 log'"))
            await (try place.open([history[0], history[2]])).close()
            #expect(
                try await failure(place, history).contains("'v2 first' stands before 'v3 second', which is applied"))
        }
    }
}
