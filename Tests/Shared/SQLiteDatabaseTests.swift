import Dispatch
import Foundation
import Testing

@testable import Shared

@Suite("SQLite: statements and settings", .timeLimit(.minutes(2)))
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

    @Test("Parameters are bound by name, also when $2 comes first or one comes twice")
    func bindingByName() async throws {
        try await withItemStore { store, _ in
            let row = try await store.write { connection in
                try connection.execute("INSERT INTO item (amount, name) VALUES ($2, $1)", [.text("one"), .integer(7)])
                return try connection.query(
                    "SELECT $2 || '/' || $1 || '/' || $2 AS joined FROM item WHERE amount = $3",
                    [.text("a"), .text("b"), .integer(7)])[0]
            }
            #expect(try row.text("joined") == "b/a/b")
            #expect(try await store.itemNames() == ["one"])
        }
    }

    @Test(
        "Parameters that do not fit are refused, and no value is in the text",
        arguments: [
            ("INSERT INTO item (name, amount) VALUES ($1, $2)", 1), ("SELECT name FROM item WHERE id = $1", 2),
            ("SELECT name FROM item WHERE id = $1 OR id = $3", 2), ("SELECT name FROM item WHERE id = ?", 1),
            ("SELECT name FROM item WHERE id = :name", 1), ("SELECT name FROM item WHERE id = $0", 1),
            ("SELECT name FROM item WHERE id = $1 OR id = $01", 2),
        ])
    func wrongParameters(sql: String, count: Int) async throws {
        try await withItemStore { store, _ in
            let error = try await #require(throws: StoreError.self) {
                try await store.write { try $0.query(sql, Array(repeating: .text("secret"), count: count)) }
            }
            guard case .failed(let text) = error else { throw error }
            #expect(text.hasPrefix(sql.hasPrefix("INSERT") ? "INSERT INTO ITEM" : "SELECT NAME FROM"))
            #expect(!text.contains("secret"))
        }
    }

    @Test(
        "Statements that end transactions or change the connection are refused, and so are two at once",
        arguments: [
            "BEGIN", "begin immediate", "COMMIT", "END TRANSACTION", "ROLLBACK", "SAVEPOINT a", "RELEASE one_write",
            "ATTACH 'other.db' AS other", "DETACH main", "PRAGMA synchronous = OFF", "VACUUM", "; COMMIT",
            "-- SELECT\nCOMMIT", "--\rSELECT\nCOMMIT", "/* SELECT */ COMMIT", "EXPLAIN COMMIT", "",
            "INSERT OR ROLLBACK INTO item (name, amount) VALUES ('a', 1)", "UPDATE OR ROLLBACK item SET amount = 2",
            "INSERT INTO item (name, amount) VALUES ('a', 1); COMMIT", "SELECT 1; SELECT 2",
        ])
    func refused(sql: String) async throws {
        try await withItemStore { store, _ in
            let error = try await #require(throws: StoreError.self) {
                try await store.write { connection in
                    try connection.execute("INSERT INTO item (name, amount) VALUES ('before', 1)")
                    try connection.execute(sql)
                }
            }
            guard case .failed = error else { throw error }
            await #expect(throws: StoreError.self) { try await store.read { try $0.query(sql) } }
            #expect(try await store.itemNames() == [])
        }
    }

    @Test("What SQLite refuses becomes an error that handlers can tell apart")
    func errors() async throws {
        try await withItemStore { store, _ in
            func error(_ sql: String) async throws -> StoreError {
                try await #require(throws: StoreError.self) { try await store.write { try $0.execute(sql) } }
            }
            try await store.insertItem("one")
            #expect(
                try await error("INSERT INTO item (name, amount) VALUES ('one', 1)")
                    == .notUnique(constraint: "item.name"))
            #expect(
                try await error("INSERT INTO item (id, name, amount) VALUES (1, 'two', 1)")
                    == .notUnique(constraint: "item.id"))
            #expect(
                try await error("INSERT INTO item (name, amount) VALUES ('two', 0)")
                    == .constraintViolated("CHECK constraint failed: amount > 0"))
            #expect(
                try await error("INSERT INTO item (name) VALUES ('two')")
                    == .constraintViolated("NOT NULL constraint failed: item.amount"))
            #expect(
                try await error("INSERT INTO item (name, amount, parent) VALUES ('two', 1, 9)")
                    == .constraintViolated("FOREIGN KEY constraint failed"))
            #expect(
                try await error("SELECT name FROM absent")
                    == .failed("SELECT NAME FROM: SQLite error 1: no such table: absent"))
        }
    }

    @Test("A statement tells how many rows it changed; null, text, integers and bytes come back as they went in")
    func values() async throws {
        try await withItemStore { store, _ in
            try await store.write { connection in
                try connection.execute("CREATE TABLE kept (number INTEGER, words TEXT, bytes BLOB, empty TEXT)")
                #expect(
                    try connection.execute(
                        "INSERT INTO kept VALUES ($1, $2, $3, $4)",
                        [.integer(Int64.max), .text("é'"), .blob([0, 255]), .null]) == 1)
                #expect(try connection.execute("CREATE INDEX kept_number ON kept (number)") == 0)
                #expect(try connection.execute("UPDATE kept SET words = words WHERE number = 1") == 0)
                let inserted = try connection.query("INSERT INTO kept (number) VALUES (1), (2) RETURNING number")
                #expect(try inserted.map { try $0.int("number") } == [1, 2])
                #expect(try connection.execute("DELETE FROM kept WHERE number < 3") == 2)
            }
            await #expect(throws: StoreError.constraintViolated("text holds a NUL character")) {
                try await store.insertItem("cut\u{0}off")
            }
            let row = try await store.read { try $0.query("SELECT * FROM kept")[0] }
            #expect(try row.integer("number") == .max)
            #expect(try row.text("words") == "é'")
            #expect(try row.optionalText("empty") == nil)
            await #expect(throws: StoreError.unexpectedValue(column: "half")) {
                try await store.read { try $0.query("SELECT 0.5 AS half") }
            }
        }
    }

    @Test("A read sees one moment, whatever is written meanwhile, and cannot write")
    func snapshot() async throws {
        try await withItemStore { store, _ in
            try await store.insertItem("one")
            let hasLooked = Latch()
            let goOn = DispatchSemaphore(value: 0)
            async let counts = store.read { connection in
                func count() throws -> Int { try connection.query("SELECT count(*) AS n FROM item")[0].int("n") }
                let before = try count()
                hasLooked.open()
                goOn.wait()
                return [before, try count()]
            }
            await hasLooked.wait(atMost: .seconds(20))
            try await store.insertItem("two")
            #expect(try await store.itemNames() == ["one", "two"])
            goOn.signal()
            #expect(try await counts == [1, 1])
            let error = await #expect(throws: StoreError.self) {
                try await store.read { try $0.execute("DELETE FROM item") }
            }
            guard case .failed = error else { throw try #require(error) }
            #expect(try await store.itemNames().count == 2)
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
        arguments: ["postgres://user:secret@db/payments", "secret", "sqlite:", "sqlite://secret/data.db"])
    func urls(url: String) async throws {
        let error = await #expect(throws: StoreError.self) { _ = try await Databases.open(url: url, migrations: []) }
        guard case .failed(let text) = error else { throw try #require(error) }
        #expect(text.contains("sqlite:/path/to/file"))
        #expect(!text.contains("secret"))
    }
}
