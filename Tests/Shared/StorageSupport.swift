import Foundation
import Testing

@testable import Shared

/// A folder of a test's own, removed after it.
func withStorageFolder<Value>(_ body: (URL) async throws -> Value) async throws -> Value {
    let folder = FileManager.default.temporaryDirectory.appending(path: "storage-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try await body(folder)
}

/// A store with an `item` table: unique `name`, `amount` above 0, `parent` checked at once.
let itemMigrations = [
    Migration(
        "v1 item",
        """
        CREATE TABLE item (
            id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, amount INTEGER NOT NULL CHECK (amount > 0),
            parent INTEGER REFERENCES item (id)
        );
        CREATE INDEX item_amount ON item (amount);
        """)
]

/// Opens a store on `<folder>/data.db` and closes it after `body`.
func withItemStore<Value>(
    _ configuration: SQLiteConfiguration = .init(), _ body: (SQLiteDatabase, String) async throws -> Value
) async throws -> Value {
    try await withStorageFolder { folder in
        let path = folder.appending(path: "data.db").path
        let store = try await SQLiteDatabase.open(path: path, migrations: itemMigrations, configuration: configuration)
        do {
            let value = try await body(store, path)
            await store.close()
            return value
        } catch {
            await store.close()
            throw error
        }
    }
}

extension Shared.Database {
    @discardableResult
    func insertItem(_ name: String, amount: Int = 1) async throws -> Int {
        try await write { connection in
            try connection.execute(
                "INSERT INTO item (name, amount) VALUES ($1, $2)", [.text(name), .integer(amount)])
        }
    }

    func itemNames() async throws -> [String] {
        try await read { try $0.query("SELECT name FROM item ORDER BY id").map { try $0.text("name") } }
    }
}

/// Another replica in the middle of a batch: holds the turn of a database file until it is let go.
final class TurnHolder: Sendable {
    private let letGo = DispatchSemaphore(value: 0)

    /// Returns once it holds the turn.
    init(path: String) async throws {
        let letGo = letGo
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            Thread {
                do {
                    try FileTurn(path: path).hold {
                        continuation.resume()
                        letGo.wait()
                    }
                } catch {
                    continuation.resume(throwing: error)
                }
            }.start()
        }
    }

    func release() { letGo.signal() }

    deinit { letGo.signal() }
}
