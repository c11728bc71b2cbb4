import HTTPTypes
import ServiceTesting
import Shared
import TestSupport
import Testing

@testable import InventoryService

@Suite("The warehouse behind the inventory")
struct WarehouseTests {
    /// The service with these settings in force.
    private func withInventory(
        _ settings: ResilienceSettings, _ body: @escaping @Sendable (TestClient) async throws -> Void
    ) async throws {
        let runner = FakeRunner()
        runner.change(resilience: settings)
        try await runner.run(logger: LogLines().logger()) { url in
            try await InventoryTests.withInventory(runnerURL: url) { service in
                try await eventually { try await service.get("/metrics").text.contains("service_settings_version 2") }
                try await body(service)
            }
        }
    }

    private func answers(
        _ count: Int, _ service: TestClient, headers: HTTPFields = [:]
    ) async throws -> [Int: Int] {
        try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<count {
                group.addTask { try await service.get("/check/1", headers: headers).status }
            }
            return try await group.reduce(into: [:]) { $0[$1, default: 0] += 1 }
        }
    }

    @Test("serves as many at a time as it has connections, the others one after another")
    func capacity() async throws {
        let pool = InventoryPool(connections: 2, holdMs: 40)
        try await withInventory(ResilienceSettings(.naive, inventoryPool: pool)) { service in
            let start = ContinuousClock.now
            let answers = try await answers(10, service)
            #expect(answers == [200: 10])
            #expect(ContinuousClock.now - start >= .milliseconds(5 * 40))
            // Health and the books do not wait for it.
            let health = try await service.get("/health")
            #expect(health.status == 200)
        }
    }

    @Test("does not serve callers who have given up, where their deadline counts")
    func deadlines() async throws {
        let pool = InventoryPool(connections: 1, holdMs: 150)
        let headers: HTTPFields = [.requestDeadline: "100"]
        try await withInventory(ResilienceSettings(.naive, inventoryPool: pool)) { service in
            let answers = try await answers(6, service, headers: headers)
            let dropped = try #require(answers[504], "\(answers)")
            #expect(dropped >= 3)
            let metrics = try await service.get("/metrics").text
            #expect(metrics.contains("inventory_pool_dropped_total \(dropped)\n"))
        }
        // Without deadlines it works for all of them, one after another.
        try await withInventory(ResilienceSettings(.retryStorm, inventoryPool: pool)) { service in
            let answers = try await answers(6, service, headers: headers)
            #expect(answers == [200: 6])
            let metrics = try await service.get("/metrics").text
            #expect(metrics.contains("inventory_pool_dropped_total 0\n"))
        }
    }

    @Test("refuses what finds no place in line, with the time to come back")
    func full() async throws {
        let pool = InventoryPool(connections: 1, holdMs: 20)
        try await withInventory(ResilienceSettings(.naive, inventoryPool: pool)) { service in
            let answers = try await answers(Warehouse.maxWaiting + 60, service)
            #expect((answers[503] ?? 0) > 0 && (answers[200] ?? 0) > Warehouse.maxWaiting, "\(answers)")
            #expect(answers.keys.sorted() == [200, 503])
        }
    }

    @Test("sheds what it could only answer late, and never its health")
    func shedding() async throws {
        let pool = InventoryPool(connections: 1, holdMs: 10)
        var settings = ResilienceSettings(.naive, inventoryPool: pool)
        settings.set(.loadShedding, true)
        try await withInventory(settings) { service in
            // What it takes without a crowd.
            for _ in 0..<20 { _ = try await answers(1, service) }
            var shed = 0
            for _ in 0..<6 {
                let answers = try await answers(60, service)
                shed += answers[503] ?? 0
                #expect((answers[200] ?? 0) > 0)
                let health = try await service.get("/health")
                #expect(health.status == 200)
            }
            #expect(shed > 0)
            let metrics = try await service.get("/metrics").text
            #expect(!metrics.contains("http_server_requests_shed_total 0\n"))
            #expect(metrics.contains("http_server_concurrency_limit"))
        }
    }
}
