import Foundation
import Testing

@testable import Shared

@Suite("SQLite: migrations", .timeLimit(.minutes(2)))
struct StorageMigrationTests {
    private let history = [
        Migration("v1 log", "CREATE TABLE log (line TEXT NOT NULL)"),
        Migration("v2 first", "INSERT INTO log VALUES ('v2'); INSERT INTO log VALUES ('v2 again')"),
        Migration("v3 second", "INSERT INTO log VALUES ('v3')"),
    ]

    private func lines(_ store: SQLiteDatabase) async throws -> [String] {
        try await store.read { try $0.query("SELECT line FROM log ORDER BY rowid").map { try $0.text("line") } }
    }

    private func failure(_ path: String, _ migrations: [Migration]) async throws -> String {
        let error = await #expect(throws: StoreError.self) {
            _ = try await SQLiteDatabase.open(path: path, migrations: migrations)
        }
        guard case .failed(let text) = error else { throw try #require(error) }
        return text
    }

    @Test("Replicas that open one new file at once apply each migration once, in order")
    func together() async throws {
        try await withStorageFolder { folder in
            let path = folder.appending(path: "data.db").path
            let stores = try await withThrowingTaskGroup(of: SQLiteDatabase.self) { group in
                for _ in 0..<8 { group.addTask { try await SQLiteDatabase.open(path: path, migrations: history) } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            for store in stores {
                #expect(try await lines(store) == ["v2", "v2 again", "v3"])
                await store.close()
            }
        }
    }

    @Test("A newer version applies what is new; an older one opens what a newer one has migrated")
    func versions() async throws {
        try await withStorageFolder { folder in
            let path = folder.appending(path: "data.db").path
            let old = try await SQLiteDatabase.open(path: path, migrations: Array(history.prefix(2)))
            #expect(try await lines(old) == ["v2", "v2 again"])
            let new = try await SQLiteDatabase.open(path: path, migrations: history)
            #expect(try await lines(old) == ["v2", "v2 again", "v3"])
            await old.close()
            await new.close()
            let older = try await SQLiteDatabase.open(path: path, migrations: Array(history.prefix(1)))
            #expect(try await lines(older).count == 3)
            await older.close()
        }
    }

    @Test("A migration that fails is undone as a whole, named, and can be mended")
    func failing() async throws {
        try await withStorageFolder { folder in
            let path = folder.appending(path: "data.db").path
            let broken = Migration("v4 broken", "INSERT INTO log VALUES ('v4'); INSERT INTO absent VALUES (1)")
            #expect(
                try await failure(path, history + [broken])
                    == "migration 'v4 broken': SQLite error 1: no such table: absent")
            let store = try await SQLiteDatabase.open(
                path: path, migrations: history + [Migration("v4 broken", "INSERT INTO log VALUES ('mended')")])
            #expect(try await lines(store) == ["v2", "v2 again", "v3", "mended"])
            await store.close()
        }
    }

    @Test("Migrations out of order and names used twice are refused")
    func disorder() async throws {
        try await withStorageFolder { folder in
            let path = folder.appending(path: "data.db").path
            #expect(try await failure(path, history + [history[0]]).contains("two migrations are called 'v1 log'"))
            await (try SQLiteDatabase.open(path: path, migrations: [history[0], history[2]])).close()
            #expect(
                try await failure(path, history).contains("'v2 first' stands before 'v3 second', which is applied"))
        }
    }
}
