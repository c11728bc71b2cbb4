#if Postgres
import Dispatch
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Shared

@Suite("PostgreSQL: transactions", .timeLimit(.minutes(2)))
struct PostgresTransactionTests {
    @Test("What was written is on the server's disk; writes lock rows, reads are snapshots")
    func settings() async throws {
        try await withPostgres { store in
            let inWrite = try await store.settings(inWrite: true)
            #expect(inWrite == ["on", "read committed", "off", "UTF8"])
            let inRead = try await store.settings(inWrite: false)
            #expect(inRead == ["on", "repeatable read", "on", "UTF8"])
        }
    }

    @Test("Of two that wait for each other one begins anew, and both end well")
    func deadlock() async throws {
        try await withPostgres { store in
            for name in ["a", "b"] { try await store.insertItem(name) }
            let bothHoldOne = Barrier(2)
            let runs = Tally()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for names in [["a", "b"], ["b", "a"]] {
                    group.addTask {
                        try await store.write { connection in
                            runs.add()
                            for name in names {
                                try connection.execute(
                                    "UPDATE item SET amount = amount + 1 WHERE name = $1", [.text(name)])
                                bothHoldOne.arrive()
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(runs.value > 2)
            #expect(
                try await store.read { try $0.query("SELECT amount FROM item").map { try $0.int("amount") } } == [3, 3])
        }
    }

    @Test(
        "A constraint of several columns is named by them, a partial index too, and one that was rolled back by itself")
    func constraintNames() async throws {
        try await withPostgres { store in
            try await store.write { connection in
                try connection.execute("CREATE TABLE pair (a TEXT, b BIGINT, c TEXT, PRIMARY KEY (b, a))")
                try connection.execute("CREATE UNIQUE INDEX pair_some ON pair (c) WHERE b > 10")
            }
            func error(_ sql: String...) async throws -> StoreError {
                try await #require(throws: StoreError.self) {
                    try await store.write { connection in for sql in sql { try connection.execute(sql) } }
                }
            }
            let row = "INSERT INTO pair VALUES ('x', 1, 'y')"
            #expect(try await error(row, row) == .notUnique(constraint: "pair.b, pair.a"))
            let other = "INSERT INTO pair VALUES ('x', 11, 'y'), ('x', 12, 'y')"
            #expect(try await error(other) == .notUnique(constraint: "pair.c"))
            let made = "CREATE TABLE gone (a TEXT UNIQUE)"
            let twice = "INSERT INTO gone VALUES ('secret'), ('secret')"
            #expect(try await error(made, twice) == .notUnique(constraint: "gone.gone_a_key"))
            let late = "CREATE TABLE late (a BIGINT REFERENCES item (id) DEFERRABLE INITIALLY DEFERRED)"
            #expect(
                try await error(late, "INSERT INTO late VALUES (99)")
                    == .constraintViolated("FOREIGN KEY constraint failed"))
        }
    }

    @Test("A body that keeps a failure to itself fails all the same, and nothing of it is stored")
    func swallowed() async throws {
        try await withPostgres { store in
            try await store.insertItem("one")
            await #expect(throws: StoreError.notUnique(constraint: "item.name")) {
                try await store.write { connection in
                    try connection.execute("INSERT INTO item (name, amount) VALUES ('two', 1)")
                    _ = try? connection.execute("INSERT INTO item (name, amount) VALUES ('one', 1)")
                }
            }
            #expect(try await store.itemNames() == ["one"])
        }
    }

    @Test("A statement that ends the transaction is found out although it looks like another one")
    func disguised() async throws {
        try await withPostgres { store in
            // Comments nest here, and do not in SQLite.
            let error = try await #require(throws: StoreError.self) {
                try await store.write { try $0.execute("/* /* */ SELECT */ COMMIT") }
            }
            #expect(
                error == .failed("SELECT: PostgreSQL error 25000: it ended the transaction, which is the store's to do")
            )
            try await store.insertItem("next")
        }
    }

    @Test("What the schema's new version made invalid is planned anew")
    func newVersion() async throws {
        try await withPostgres(.changed { $0.connections = 1 }) { store in
            try await store.insertItem("one")
            func row() async throws -> SQLRow { try await store.read { try $0.query("SELECT * FROM item")[0] } }
            #expect(try await row().text("name") == "one")
            try await store.write { try $0.execute("ALTER TABLE item ADD COLUMN note TEXT DEFAULT 'new'") }
            #expect(try await row().text("note") == "new")
        }
    }

    @Test("More statements than a connection remembers still run")
    func manyStatements() async throws {
        try await withPostgres(.changed { $0.connections = 1 }) { store in
            let sum = try await store.read { connection in
                try (0..<(PostgresSession.maximumPrepared + 20)).reduce(0) {
                    try $0 + connection.query("SELECT \($1) + $1 AS n", [.integer(1)])[0].int("n")
                }
            }
            let count = PostgresSession.maximumPrepared + 20
            #expect(sum == count * (count - 1) / 2 + count)
        }
    }
}

extension PostgresDatabase {
    fileprivate func settings(inWrite: Bool) async throws -> [String] {
        let names = ["synchronous_commit", "transaction_isolation", "transaction_read_only", "client_encoding"]
        var values: [String] = []
        for name in names { values.append(try await setting(name, inWrite: inWrite)) }
        return values
    }
}

/// Lets threads go on when all have arrived; whoever comes later does not wait.
final class Barrier: Sendable {
    private let missing: Mutex<Int>
    private let all = DispatchSemaphore(value: 0)

    init(_ count: Int) { missing = Mutex(count) }

    func arrive() {
        let left = missing.withLock { missing in
            missing -= 1
            return missing
        }
        if left == 0 { all.signal() }
        if left >= 0 {
            _ = all.wait(timeout: .now() + 20)
            all.signal()
        }
    }
}
#endif
