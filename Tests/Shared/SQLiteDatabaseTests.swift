import Foundation
import Testing

@testable import Shared

@Suite("SQLite: settings and URLs", .timeLimit(.minutes(2)))
struct SQLiteDatabaseTests {
    @Test("What was written is on the disk: FULL in WAL mode, after a write too; foreign keys are on")
    func settings() async throws {
        try await withItemStore { store, _ in
            try await store.insertItem("one")
            #expect(try store.writerPragma("synchronous") == .integer(2))
            #expect(try store.writerPragma("journal_mode") == .text("wal"))
            #expect(try store.writerPragma("foreign_keys") == .integer(1))
            #expect(try store.writerPragma("busy_timeout") == .integer(1000))
            #expect(try store.writerPragma("journal_size_limit") == .integer(64 * 1024 * 1024))
        }
    }

    @Test("What was written is there after closing and opening; missing folders are made")
    func reopening() async throws {
        try await withStorageFolder { folder in
            let url = "sqlite:\(folder.path)/deep/er/data.db"
            let store = try await Databases.open(url: url, migrations: itemMigrations)
            try await store.insertItem("kept")
            await store.close()
            let again = try await Databases.open(url: "sqlite://" + url.dropFirst(7), migrations: itemMigrations)
            #expect(try await again.itemNames() == ["kept"])
            await again.close()
        }
    }

    @Test(
        "A database URL that is not understood names the remedy and keeps its secrets",
        arguments: [
            "postgres://user:secret@db/payments?unheard=of", "secret", "mysql://secret", "sqlite:",
            "sqlite://secret/data.db",
        ])
    func urls(url: String) async throws {
        let error = await #expect(throws: StoreError.self) { _ = try await Databases.open(url: url, migrations: []) }
        guard case .failed(let text) = error else { throw try #require(error) }
        #expect(text.contains("write sqlite:/path/to/file") || text.contains("write postgres://user@host"))
        #expect(!text.contains("secret"))
    }
}
