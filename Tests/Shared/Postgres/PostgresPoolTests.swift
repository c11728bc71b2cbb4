#if Postgres
import Dispatch
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Shared

@Suite("PostgreSQL: the pool", .timeLimit(.minutes(2)))
struct PostgresPoolTests {
    /// Occupies all connections of a store until it is let go.
    private func occupied(_ store: PostgresDatabase, _ body: () async throws -> Void) async throws {
        let (started, goOn) = (Latch(), DispatchSemaphore(value: 0))
        async let holder: Void = store.read { _ in
            started.open()
            _ = goOn.wait(timeout: .now() + 20)
        }
        _ = await started.wait(until: .now + .seconds(20))
        let result: Result<Void, any Error>
        do { result = .success(try await body()) } catch { result = .failure(error) }
        goOn.signal()
        try await holder
        try result.get()
    }

    @Test("A call that finds no free connection in time is busy, and its body never runs")
    func waiting() async throws {
        try await withPostgres(.changed { ($0.connections, $0.waitTimeout) = (1, .seconds(2)) }) { store in
            try await occupied(store) {
                await #expect(throws: StoreError.busy) { try await store.insertItem("late") }
            }
            #expect(try await store.itemNames() == [])
        }
    }

    @Test("A server answers 503 with Retry-After while all connections are taken")
    func served() async throws {
        try await withPostgres(.changed { ($0.connections, $0.waitTimeout) = (1, .milliseconds(300)) }) { store in
            try await withServer(routes: [itemRoute(store)]) { server in
                try await occupied(store) { try expectBusy(await server.post("/items", json: #"{"name":"late"}"#)) }
                #expect(try await server.post("/items", json: #"{"name":"next"}"#).status == 200)
            }
            #expect(try await store.itemNames() == ["next"])
        }
    }

    @Test("One call more than may wait is busy at once")
    func full() async throws {
        try await withPostgres(.changed { ($0.connections, $0.maximumWaiting) = (1, 2) }) { store in
            try await withThrowingTaskGroup(of: Void.self) { group in
                try await occupied(store) {
                    for name in ["a", "b"] { group.addTask { try await store.insertItem(name) } }
                    try await eventually { store.waiting == 2 }
                    await #expect(throws: StoreError.busy) { try await store.insertItem("c") }
                }
                try await group.waitForAll()
            }
            #expect(try await Set(store.itemNames()) == ["a", "b"])
        }
    }

    @Test("A store never has more connections than it may")
    func bounded() async throws {
        try await withPostgres(.changed { $0.connections = 2 }) { store in
            let running = Tally()
            let most = Tally()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<60 {
                    group.addTask {
                        try await store.write { connection in
                            most.raise(to: running.add())
                            defer { running.add(-1) }
                            try connection.execute(
                                "INSERT INTO item (name, amount) VALUES ($1, 1)", [.text("\(number)")])
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(most.value == 2)
            #expect(try await store.itemNames().count == 60)
        }
    }

    @Test("A caller cancelled before its body starts leaves, and the body never runs")
    func cancelled() async throws {
        try await withPostgres(.changed { $0.connections = 1 }) { store in
            try await occupied(store) {
                await withTaskGroup(of: Void.self) { group in
                    group.addTask {
                        await #expect(throws: CancellationError.self) { try await store.insertItem("cancelled") }
                    }
                    try? await eventually { store.waiting == 1 }
                    group.cancelAll()
                }
            }
            #expect(try await store.itemNames() == [])
        }
    }

    @Test("Closing finishes what waits, refuses what comes later, leaves no connection, and does not wait for ever")
    func close() async throws {
        let server = try await PostgresServer.shared()
        try await withPostgres(.changed { ($0.connections, $0.closeTimeout) = (1, .milliseconds(300)) }) { store in
            let schema = try await store.setting("application_name")
            try await withThrowingTaskGroup(of: Void.self) { group in
                try await occupied(store) {
                    group.addTask { try await store.insertItem("waiting") }
                    try await eventually { store.waiting == 1 }
                    // A body stands still.
                    await store.close()
                    await #expect(throws: StoreError.closed) { try await store.insertItem("late") }
                }
                try await group.waitForAll()
            }
            let open = "SELECT count(*) FROM pg_stat_activity WHERE application_name = '\(schema)'"
            try await eventually { try await server.psql(open) == "0" }
            #expect(try await server.psql("SELECT name FROM \(schema).item") == "waiting")
        }
    }

    @Test("What a failed transaction is told to do")
    func attempts() {
        var generator = SeededGenerator(seed: 7)
        let policy = PostgresConfiguration().retries
        func refused(_ state: String) -> PostgresFailure { .refused(PostgresRefusal(sqlState: state, message: "")) }
        func actions(_ failure: PostgresFailure, left: Duration = .seconds(5)) -> [PostgresAttempts.Action] {
            var attempts = PostgresAttempts(policy: policy)
            return (0..<policy.maxAttempts).map { _ in attempts.event(failure, left: left, using: &generator) }
        }
        for state in ["40001", "40P01"] {
            let all = actions(refused(state))
            #expect(all.last == .giveUp && all.dropLast().allSatisfy { $0 != .giveUp })
            let pauses = all.compactMap { if case .again(let pause, false) = $0 { pause } else { nil } }
            #expect(pauses.count == policy.maxAttempts - 1)
            #expect(pauses.allSatisfy { $0 <= .milliseconds(500) } && Set(pauses).count > 40)
        }
        #expect(actions(refused("40001"), left: .zero).allSatisfy { $0 == .giveUp })
        #expect(actions(refused("23505")).count { $0 != .giveUp } == 2)
        #expect(actions(.lost("")).allSatisfy { if case .again(_, true) = $0 { true } else { $0 == .giveUp } })
        for failure in [.unknown, .late, refused("23514"), refused("42601"), refused("57014")] {
            #expect(actions(failure).first == .giveUp)
        }
    }

    @Test(
        "Placeholders are those outside of strings, names and comments",
        arguments: [
            ("SELECT $1, $2, $1", ["1", "2"]), ("SELECT '$1' || \"$2\" || $3", ["3"]), ("SELECT 'it''s $1'", []),
            ("-- $1\nSELECT $2", ["2"]), ("/* $1 */ SELECT $02 -- $3", ["02"]), ("SELECT '$1", []), ("$", []), ("", []),
        ])
    func placeholders(sql: String, names: [String]) {
        #expect(SQLPlaceholders(sql).names == Set(names))
    }
}
#endif
