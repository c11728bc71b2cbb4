#if Postgres
import Dispatch
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Shared

@Suite("PostgreSQL: lost servers and late answers", .timeLimit(.minutes(2)))
struct PostgresFailureTests {
    @Test("A transaction whose connection is lost before it commits is run again, once more is enough")
    func lostBefore() async throws {
        try await withPostgres { store in
            let runs = Tally()
            try await store.write { connection in
                try connection.execute("INSERT INTO item (name, amount) VALUES ('one', 1)")
                guard runs.add() == 1 else { return }
                _ = try connection.query("SELECT pg_terminate_backend(pg_backend_pid()) AS done")
            }
            #expect(runs.value == 2)
            #expect(try await store.itemNames() == ["one"])
        }
    }

    @Test("Who stands still in a transaction loses its locks, and begins anew")
    func standstill() async throws {
        try await withPostgres(.changed { $0.stillstandTimeout = .seconds(1) }) { store in
            let runs = Tally()
            try await store.write { connection in
                try connection.execute("INSERT INTO item (name, amount) VALUES ('one', 1)")
                if runs.add() == 1 { Thread.sleep(forTimeInterval: 3) }
            }
            #expect(runs.value == 2)
            #expect(try await store.itemNames() == ["one"])
        }
    }

    @Test("A COMMIT whose answer is lost is an error, and never repeated", arguments: [true, false])
    func lostCommit(isStored: Bool) async throws {
        let server = try await PostgresServer.shared()
        let thief = try CommitThief(serverPort: server.port, isStored ? .after : .before)
        defer { thief.stop() }
        let url = server.tcpURL("postgres", password: "open%20sesame", port: thief.port, query: "?sslmode=disable")
        try await withPostgres(.changed { $0.connections = 1 }, url: url) { store in
            try await store.insertItem("before")
            let runs = Tally()
            thief.arm()
            let error = try await #require(throws: StoreError.self) {
                try await store.write { connection in
                    runs.add()
                    try connection.execute("INSERT INTO item (name, amount) VALUES ('one', 1)")
                }
            }
            #expect(
                error
                    == .failed("the connection to the database was lost in a COMMIT: whether it is stored is not known")
            )
            #expect(runs.value == 1)
            try await eventually { try await store.itemNames() == ["before"] + (isStored ? ["one"] : []) }
            try await store.insertItem("after")
        }
    }

    @Test("A statement past its deadline is cancelled at the server, nothing of it is stored, and the store goes on")
    func deadline() async throws {
        try await withPostgres(.changed { $0.transactionTimeout = .seconds(3) }) { store in
            let mark = "\(UUID())"
            await #expect(throws: StoreError.busy) {
                try await store.write { connection in
                    try connection.execute("INSERT INTO item (name, amount) VALUES ('late', 1)")
                    try connection.execute("SELECT pg_sleep(60) /* \(mark) */")
                }
            }
            let running = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%/_ \(mark) %'"
            try await eventually {
                try await PostgresServer.shared().psql(running + " AND pid <> pg_backend_pid()") == "0"
            }
            try await store.insertItem("next")
            #expect(try await store.itemNames() == ["next"])
        }
    }

    @Test("A row that another one keeps locked makes a write busy")
    func lockedRow() async throws {
        try await withPostgres(.changed { $0.transactionTimeout = .seconds(3) }) { store in
            try await store.insertItem("one")
            let (isLocked, goOn) = (Latch(), DispatchSemaphore(value: 0))
            let lock: @Sendable (any SQLConnection) throws -> Void = { connection in
                _ = try connection.query("SELECT id FROM item WHERE name = 'one' FOR UPDATE")
                isLocked.open()
                _ = goOn.wait(timeout: .now() + 20)
            }
            async let holder: Void = store.write(lock)
            _ = await isLocked.wait(until: .now + .seconds(20))
            await #expect(throws: StoreError.busy) {
                try await store.write { try $0.execute("UPDATE item SET amount = 7") }
            }
            goOn.signal()
            // It has held its lock for longer than it may, too.
            _ = try? await holder
            try await store.write { try $0.execute("UPDATE item SET amount = 8") }
        }
    }

    @Test("A server that crashes and starts again is found again: what it acknowledged is there")
    func restart() async throws {
        let server = try await PostgresServer()
        try await withPostgres(.changed { $0.waitTimeout = .seconds(20) }, url: server.socketURL("postgres")) { store in
            let kept = Kept()
            let ended = Tally()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for client in 0..<6 {
                    group.addTask {
                        var number = 0
                        while ended.value == 0 {
                            number += 1
                            let name = "\(client)/\(number)"
                            // An error says nothing about whether it is there.
                            guard (try? await store.insertItem(name)) != nil else { continue }
                            kept.insert(name)
                        }
                    }
                }
                group.addTask {
                    defer { ended.add() }
                    for _ in 0..<2 {
                        let before = kept.names.count
                        try await eventually { kept.names.count > before + 50 }
                        try await server.crash()
                        try await server.start()
                    }
                    let before = kept.names.count
                    try await eventually { kept.names.count > before + 50 }
                }
                try await group.waitForAll()
            }
            let there = Set(try await store.itemNames())
            #expect(kept.names.isSubset(of: there))
        }
    }

    @Test("A server that is not there is named when the store opens, and the password is not")
    func unreachable() async throws {
        let port = try await PostgresServer.shared().freePort()
        let error = try await #require(throws: StoreError.self) {
            try await withPostgres(
                .changed { $0.reachTimeout = .seconds(2) }, url: "postgres://me:secret@127.0.0.1:\(port)/x"
            ) { _ in }
        }
        guard case .failed(let text) = error else { throw error }
        #expect(text.hasPrefix("no connection to the database: ") && text.contains("\(port)"), "\(text)")
        #expect(!text.contains("secret"))
    }
}

/// What was acknowledged.
private final class Kept: Sendable {
    private let kept = Mutex<Set<String>>([])

    var names: Set<String> { kept.withLock { $0 } }

    func insert(_ name: String) { kept.withLock { _ = $0.insert(name) } }
}
#endif
