import Dispatch
import Foundation
import GRDB
import TestSupport
import Testing

@testable import Shared

@Suite("SQLite: waiting ends", .timeLimit(.minutes(2)))
struct StorageWaitingTests {
    @Test("A write that does not get its turn in time is busy, and its body never runs")
    func deadline() async throws {
        var configuration = SQLiteConfiguration()
        configuration.waitTimeout = .seconds(1)
        try await withItemStore(configuration) { store, path in
            let holder = try await TurnHolder(path: path)
            await #expect(throws: StoreError.busy) { try await store.insertItem("late") }
            #expect(store.waitingWrites == 0)
            // Reading needs no turn.
            #expect(try await store.itemNames() == [])
            holder.release()
            try await eventually { (try? await store.insertItem("next")) != nil }
            #expect(try await store.itemNames() == ["next"])
        }
    }

    @Test("One write more than may wait is busy at once")
    func full() async throws {
        var configuration = SQLiteConfiguration()
        configuration.maximumWaiting = 2
        try await withItemStore(configuration) { store, path in
            let holder = try await TurnHolder(path: path)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for name in ["a", "b"] { group.addTask { try await store.insertItem(name) } }
                try await eventually { store.waitingWrites == 2 }
                await #expect(throws: StoreError.busy) { try await store.insertItem("c") }
                holder.release()
                try await group.waitForAll()
            }
            #expect(try await Set(store.itemNames()) == ["a", "b"])
        }
    }

    @Test("A program that takes no turns makes writes busy while it holds SQLite's lock, and only then")
    func foreignLock() async throws {
        var configuration = SQLiteConfiguration()
        configuration.waitTimeout = .seconds(1)
        configuration.busyTimeout = .milliseconds(20)
        try await withItemStore(configuration) { store, path in
            var unsafe = GRDB.Configuration()
            unsafe.allowsUnsafeTransactions = true
            let shell = try DatabaseQueue(path: path, configuration: unsafe)
            try await shell.writeWithoutTransaction { try $0.beginTransaction(.immediate) }
            await #expect(throws: StoreError.busy) { try await store.insertItem("late") }
            try await shell.writeWithoutTransaction { try $0.rollback() }
            try await eventually { (try? await store.insertItem("next")) != nil }
            #expect(try await store.itemNames() == ["next"])
            try shell.close()
        }
    }

    @Test("A caller cancelled before its body starts leaves, and the body never runs")
    func cancelledWaiting() async throws {
        try await withItemStore { store, path in
            let holder = try await TurnHolder(path: path)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    await #expect(throws: CancellationError.self) { try await store.insertItem("cancelled") }
                }
                try await eventually { store.waitingWrites == 1 }
                group.cancelAll()
                try await group.waitForAll()
                group.addTask {
                    // Cancelled before it called.
                    withUnsafeCurrentTask { $0?.cancel() }
                    await #expect(throws: CancellationError.self) { try await store.insertItem("cancelled") }
                }
                try await group.waitForAll()
            }
            #expect(store.waitingWrites == 0)
            holder.release()
            try await store.insertItem("next")
            #expect(try await store.itemNames() == ["next"])
        }
    }

    @Test("A caller cancelled after its body has started gets its value, which is stored")
    func cancelledRunning() async throws {
        try await withItemStore { store, _ in
            let started = Latch()
            let goOn = DispatchSemaphore(value: 0)
            try await withThrowingTaskGroup(of: Int.self) { group in
                group.addTask {
                    try await store.write { connection in
                        started.open()
                        goOn.wait()
                        return try connection.execute("INSERT INTO item (name, amount) VALUES ('stored', 1)")
                    }
                }
                _ = await started.wait(until: .now + .seconds(20))
                group.cancelAll()
                goOn.signal()
                let changed = try await group.next()
                #expect(changed == 1)
            }
            #expect(try await store.itemNames() == ["stored"])
        }
    }

    @Test("In a storm of cancellations each write is either stored or cancelled")
    func cancellationStorm() async throws {
        try await withItemStore { store, _ in
            let stored = try await withThrowingTaskGroup(of: String?.self) { group in
                for index in 0..<300 {
                    group.addTask {
                        do { try await store.insertItem("\(index)") } catch is CancellationError { return nil }
                        return "\(index)"
                    }
                }
                try await eventually { store.counters.writes > 0 }
                group.cancelAll()
                return try await group.reduce(into: Set<String>()) { stored, name in if let name { stored.insert(name) }
                }
            }
            #expect(try await Set(store.itemNames()) == stored)
            #expect(store.counters.writes == stored.count)
        }
    }

    @Test("A read that finds no free connection in time is busy; closing waits for the read that runs")
    func readers() async throws {
        var configuration = SQLiteConfiguration()
        configuration.readers = 1
        configuration.waitTimeout = .seconds(1)
        try await withItemStore(configuration) { store, _ in
            let started = Latch()
            let goOn = DispatchSemaphore(value: 0)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    let rows = try await store.read { connection in
                        started.open()
                        goOn.wait()
                        return try connection.query("SELECT 1 AS one")
                    }
                    #expect(try rows[0].int("one") == 1)
                }
                _ = await started.wait(until: .now + .seconds(20))
                await #expect(throws: StoreError.busy) { try await store.itemNames() }
                group.addTask { await store.close() }
                try await eventually {
                    do { _ = try await store.itemNames() } catch { return error as? StoreError == .closed }
                    return false
                }
                goOn.signal()
                try await group.waitForAll()
            }
        }
    }

    @Test("Closing finishes the writes that wait and refuses later ones; closing again does no harm")
    func close() async throws {
        try await withItemStore { store, path in
            let holder = try await TurnHolder(path: path)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for index in 0..<5 { group.addTask { try await store.insertItem("\(index)") } }
                try await eventually { store.waitingWrites == 5 }
                group.addTask { await store.close() }
                try await eventually {
                    do { _ = try await store.itemNames() } catch StoreError.closed { return true }
                    return false
                }
                holder.release()
                try await group.waitForAll()
            }
            await store.close()
            await #expect(throws: StoreError.closed) { try await store.insertItem("late") }
            await #expect(throws: StoreError.closed) { try await store.itemNames() }
            let again = try await SQLiteDatabase.open(path: path, migrations: itemMigrations)
            #expect(try await again.itemNames().count == 5)
            await again.close()
        }
    }

    @Test("Opening gives up when another replica keeps the turn")
    func opening() async throws {
        var configuration = SQLiteConfiguration()
        configuration.openTimeout = .milliseconds(50)
        let limits = configuration
        try await withStorageFolder { folder in
            let path = folder.appending(path: "data.db").path
            let holder = try await TurnHolder(path: path)
            await #expect(throws: StoreError.busy) {
                _ = try await SQLiteDatabase.open(path: path, migrations: itemMigrations, configuration: limits)
            }
            holder.release()
            let store = try await SQLiteDatabase.open(path: path, migrations: itemMigrations)
            try await store.insertItem("next")
            await store.close()
        }
    }
}
