import Dispatch
import TestSupport
import Testing

@testable import Shared

/// What every store promises, on every database of this build.
@Suite("Stores: statements and transactions", .timeLimit(.minutes(2)))
struct StoreContractTests {
    @Test("Parameters are bound by name, also when $2 comes first or one comes twice", arguments: DatabaseKind.allCases)
    func bindingByName(kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
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
        "Parameters that do not fit are refused, and no value is in the text", arguments: DatabaseKind.allCases,
        [
            ("INSERT INTO item (name, amount) VALUES ($1, $2)", 1), ("SELECT name FROM item WHERE id = $1", 2),
            ("SELECT name FROM item WHERE id = $1 OR id = $3", 2), ("SELECT name FROM item WHERE id = ?", 1),
            ("SELECT name FROM item WHERE id = :name", 1), ("SELECT name FROM item WHERE id = $0", 1),
            ("SELECT name FROM item WHERE id = $1 OR id = $01", 2),
        ])
    func wrongParameters(kind: DatabaseKind, statement: (sql: String, count: Int)) async throws {
        try await withStore(kind) { store in
            let error = try await #require(throws: StoreError.self) {
                try await store.write {
                    try $0.query(statement.sql, Array(repeating: .text("secret"), count: statement.count))
                }
            }
            guard case .failed(let text) = error else { throw error }
            #expect(text.hasPrefix(statement.sql.hasPrefix("INSERT") ? "INSERT INTO ITEM" : "SELECT NAME FROM"))
            #expect(!text.contains("secret"))
        }
    }

    @Test(
        "Statements that end transactions or change the connection are refused, and so are two at once",
        arguments: DatabaseKind.allCases,
        [
            "BEGIN", "begin immediate", "COMMIT", "END TRANSACTION", "ROLLBACK", "SAVEPOINT a", "RELEASE one_write",
            "ATTACH 'other.db' AS other", "DETACH main", "PRAGMA synchronous = OFF", "VACUUM", "; COMMIT",
            "-- SELECT\nCOMMIT", "--\rSELECT\nCOMMIT", "/* SELECT */ COMMIT", "EXPLAIN COMMIT", "",
            "INSERT OR ROLLBACK INTO item (name, amount) VALUES ('a', 1)", "UPDATE OR ROLLBACK item SET amount = 2",
            "INSERT INTO item (name, amount) VALUES ('a', 1); COMMIT", "SELECT 1; SELECT 2",
        ])
    func refused(kind: DatabaseKind, sql: String) async throws {
        try await withStore(kind) { store in
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

    @Test("What the database refuses becomes an error that handlers can tell apart", arguments: DatabaseKind.allCases)
    func errors(kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
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
                    == .failed("SELECT NAME FROM: \(kind.absentTable)"))
        }
    }

    @Test(
        "A statement tells how many rows it changed; null, text, integers and bytes come back as they went in",
        arguments: DatabaseKind.allCases)
    func values(kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            try await store.write { connection in
                try connection.execute("CREATE TABLE kept (number BIGINT, words TEXT, bytes \(kind.bytes), empty TEXT)")
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
            let bytes = try await store.read { connection in
                try connection.query("SELECT number FROM kept WHERE bytes = $1", [.blob([0, 255])])
            }
            #expect(bytes.count == 1)
            await #expect(throws: StoreError.unexpectedValue(column: "half")) {
                try await store.read { try $0.query("SELECT 0.5 AS half") }
            }
        }
    }

    @Test("A read sees one moment, whatever is written meanwhile, and cannot write", arguments: DatabaseKind.allCases)
    func snapshot(kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
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
            _ = await hasLooked.wait(until: .now + .seconds(20))
            try await store.insertItem("two")
            #expect(try await store.itemNames() == ["one", "two"])
            goOn.signal()
            #expect(try await counts == [1, 1])
            for sql in ["DELETE FROM item", "SELECT name FROM item FOR UPDATE"] {
                let error = await #expect(throws: StoreError.self) { try await store.read { try $0.execute(sql) } }
                guard case .failed = error else { throw try #require(error) }
            }
            #expect(try await store.itemNames().count == 2)
        }
    }

    @Test(
        "What a row was read for is right when it is changed, however many do so at once",
        arguments: DatabaseKind.allCases)
    func locks(kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            try await store.insertItem("counter")
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<40 {
                    group.addTask {
                        try await store.write { connection in
                            let row = try connection.query(
                                "SELECT amount FROM item WHERE name = $1 FOR UPDATE", [.text("counter")])[0]
                            try connection.execute(
                                "UPDATE item SET amount = $2 WHERE name = $1",
                                [.text("counter"), .integer(try row.integer("amount") + 1)])
                        }
                    }
                }
                try await group.waitForAll()
            }
            let amount = try await store.read { try $0.query("SELECT amount FROM item")[0].integer("amount") }
            #expect(amount == 41)
        }
    }

    @Test(
        "Of many who look for a key and insert it, one inserts and all others see it", arguments: DatabaseKind.allCases)
    func firstInsert(kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            for round in 0..<10 {
                let inserted = try await withThrowingTaskGroup(of: Bool.self) { group in
                    for _ in 0..<4 {
                        group.addTask {
                            try await store.write { connection in
                                let name = SQLValue.text("key \(round)")
                                let found = try connection.query("SELECT id FROM item WHERE name = $1", [name])
                                guard found.isEmpty else { return false }
                                try connection.execute("INSERT INTO item (name, amount) VALUES ($1, 1)", [name])
                                return true
                            }
                        }
                    }
                    return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
                }
                #expect(inserted == 1)
            }
            #expect(try await store.itemNames().count == 10)
        }
    }

    @Test("A body that throws undoes what it did, and nothing else", arguments: DatabaseKind.allCases)
    func throwing(kind: DatabaseKind) async throws {
        struct Refused: Error, Equatable {}
        try await withStore(kind) { store in
            try await store.insertItem("before")
            await #expect(throws: Refused()) {
                try await store.write { connection in
                    try connection.execute("INSERT INTO item (name, amount) VALUES ('undone', 1)")
                    throw Refused()
                }
            }
            try await store.insertItem("after")
            #expect(try await store.itemNames() == ["before", "after"])
        }
    }
}
