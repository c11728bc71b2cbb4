import Foundation
import Synchronization
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
            print("RUN", longestRun)
            #expect(longestRun <= 50)
            await second.close()
        }
    }
}
