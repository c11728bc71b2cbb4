import Foundation
import TestSupport
import Testing

@testable import Shared

@Suite("SQLite: group commit", .timeLimit(.minutes(2)))
struct StorageGroupCommitTests {
    @Test("200 concurrent writers: those that break a rule fail alone, all others are stored once, in few commits")
    func manyWriters() async throws {
        try await withItemStore { store, _ in
            try await store.insertItem("taken")
            let before = store.counters
            let outcomes = await withTaskGroup(of: (Int, StoreError?).self) { group in
                for index in 0..<200 {
                    group.addTask {
                        do {
                            // Every 7th breaks a rule, by turns the CHECK and the UNIQUE one.
                            switch index % 14 {
                            case 0: try await store.insertItem("writer-\(index)", amount: 0)
                            case 7: try await store.insertItem("taken")
                            default: try await store.insertItem("writer-\(index)")
                            }
                            return (index, nil)
                        } catch { return (index, error as? StoreError) }
                    }
                }
                return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
            }
            for index in 0..<200 {
                switch index % 14 {
                case 0: #expect(outcomes[index] == .constraintViolated("CHECK constraint failed: amount > 0"))
                case 7: #expect(outcomes[index] == .notUnique(constraint: "item.name"))
                default: #expect(outcomes[index] == nil)
                }
            }
            let expected = (0..<200).filter { $0 % 7 != 0 }.map { "writer-\($0)" } + ["taken"]
            #expect(try await store.itemNames().sorted() == expected.sorted())
            let counters = store.counters
            #expect(counters.writes - before.writes == expected.count - 1)
            #expect(counters.failures - before.failures == 29)
            #expect(counters.commits - before.commits < expected.count - 1)
        }
    }

    @Test("What gathers while another replica has the turn is one commit, and no more than the batch in one")
    func oneCommit() async throws {
        var configuration = SQLiteConfiguration()
        configuration.maximumBatch = 150
        try await withItemStore(configuration) { store, path in
            let holder = try await TurnHolder(path: path)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for index in 0..<200 { group.addTask { try await store.insertItem("\(index)") } }
                try await eventually { store.waitingWrites == 200 }
                holder.release()
                try await group.waitForAll()
            }
            #expect(store.counters == WriteCounters(commits: 2, writes: 200, failures: 0))
        }
    }

    @Test("Two stores on one file take turns: everything is stored and neither waits for the other's backlog")
    func turns() async throws {
        var configuration = SQLiteConfiguration()
        configuration.maximumBatch = 1
        let limits = configuration
        try await withItemStore(limits) { first, path in
            let second = try await SQLiteDatabase.open(path: path, migrations: itemMigrations, configuration: limits)
            let holder = try await TurnHolder(path: path)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for index in 0..<100 {
                    group.addTask { try await first.insertItem("first \(index)") }
                    group.addTask { try await second.insertItem("second \(index)") }
                }
                try await eventually { first.waitingWrites == 100 && second.waitingWrites == 100 }
                holder.release()
                try await group.waitForAll()
            }
            let authors = try await first.itemNames().map { $0.prefix { $0 != " " } }
            #expect(authors.count { $0 == "first" } == 100)
            #expect(authors.count { $0 == "second" } == 100)
            let longestRun = zip(authors, authors.dropFirst()).reduce(into: (longest: 1, current: 1)) { run, pair in
                run.current = pair.0 == pair.1 ? run.current + 1 : 1
                run.longest = max(run.longest, run.current)
            }.longest
            // By turns is 1, and a loaded machine wakes a replica late now and then; whoever has to wait for the other's
            // backlog waits for all 100.
            #expect(longestRun <= 50)
            await second.close()
        }
    }

    @Test("A body that throws after writing takes back its own changes and nobody else's")
    func failingBody() async throws {
        struct Refusal: Error, Equatable {}
        try await withItemStore { store, path in
            let holder = try await TurnHolder(path: path)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await store.insertItem("before") }
                try await eventually { store.waitingWrites == 1 }
                group.addTask {
                    await #expect(throws: Refusal()) {
                        try await store.write { connection in
                            try connection.execute("INSERT INTO item (name, amount) VALUES ('lost', 1)")
                            try connection.execute("UPDATE item SET amount = 99")
                            throw Refusal()
                        }
                    }
                }
                try await eventually { store.waitingWrites == 2 }
                group.addTask { try await store.insertItem("after") }
                try await eventually { store.waitingWrites == 3 }
                holder.release()
                try await group.waitForAll()
            }
            #expect(try await store.itemNames() == ["before", "after"])
            #expect(try await store.read { try $0.query("SELECT max(amount) AS most FROM item")[0].int("most") } == 1)
            #expect(store.counters == WriteCounters(commits: 1, writes: 2, failures: 1))
        }
    }

    @Test("A foreign key that is checked late fails the write that broke it, not those that share its commit")
    func deferredForeignKey() async throws {
        try await withStorageFolder { folder in
            let store = try await SQLiteDatabase.open(
                path: folder.appending(path: "data.db").path,
                migrations: itemMigrations + [
                    Migration(
                        "v2 part", "CREATE TABLE part (item INTEGER REFERENCES item (id) DEFERRABLE INITIALLY DEFERRED)"
                    )
                ])
            let holder = try await TurnHolder(path: folder.appending(path: "data.db").path)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await store.insertItem("before") }
                group.addTask {
                    await #expect(throws: StoreError.constraintViolated("FOREIGN KEY constraint failed")) {
                        try await store.write { try $0.execute("INSERT INTO part (item) VALUES (77)") }
                    }
                }
                group.addTask {
                    try await store.write { connection in
                        try connection.execute("INSERT INTO part (item) VALUES (78)")
                        try connection.execute("INSERT INTO item (id, name, amount) VALUES (78, 'late', 1)")
                    }
                }
                try await eventually { store.waitingWrites == 3 }
                holder.release()
                try await group.waitForAll()
            }
            #expect(try await Set(store.itemNames()) == ["before", "late"])
            #expect(store.counters.commits == 1)
            await store.close()
        }
    }

    @Test("When SQLite rolls the shared transaction back, all who share it get an error and nothing of it is stored")
    func lostTransaction() async throws {
        try await withStorageFolder { folder in
            let path = folder.appending(path: "data.db").path
            let store = try await SQLiteDatabase.open(
                path: path,
                migrations: itemMigrations + [
                    Migration("v2 once", "CREATE TABLE once (name TEXT UNIQUE ON CONFLICT ROLLBACK)")
                ])
            try await store.write { try $0.execute("INSERT INTO once (name) VALUES ('taken')") }
            let holder = try await TurnHolder(path: path)
            let failures = try await withThrowingTaskGroup(of: Int.self) { group in
                for name in ["a", "swallows", "b"] {
                    group.addTask {
                        do {
                            try await store.write { connection in
                                try connection.execute("INSERT INTO item (name, amount) VALUES ($1, 1)", [.text(name)])
                                guard name == "swallows" else { return }
                                _ = try? connection.execute("INSERT INTO once (name) VALUES ('taken')")
                                _ = try? connection.execute("INSERT INTO item (name, amount) VALUES ('alone', 1)")
                            }
                            return 0
                        } catch StoreError.failed { return 1 }
                    }
                    let waiting = ["a": 1, "swallows": 2, "b": 3][name]
                    try await eventually { store.waitingWrites == waiting }
                }
                holder.release()
                return try await group.reduce(0, +)
            }
            #expect(failures == 3)
            try await store.insertItem("next")
            #expect(try await store.itemNames() == ["next"])
            await store.close()
        }
    }
}
