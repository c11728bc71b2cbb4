import Foundation
import ServiceTesting
import Shared
import TestSupport

@testable import InventoryService

/// Runs the inventory service on a database in `folder`, or in a folder of its own.
func withInventory(
    in folder: URL? = nil, runnerURL: String? = nil, clock: @escaping @Sendable () -> UnixTime = { .now },
    _ body: @escaping @Sendable (TestClient) async throws -> Void
) async throws {
    guard let folder else {
        return try await withTemporaryFolder {
            try await withInventory(in: $0, runnerURL: runnerURL, clock: clock, body)
        }
    }
    let database = try await openStore("inventory", in: folder, migrations: InventoryStore.migrations)
    var settings = InventorySettings()
    (settings.host, settings.port) = ("127.0.0.1", 0)
    settings.scenarioRunnerURL = runnerURL
    let logger = LogLines().logger()
    try await withHTTPClient { client in
        try await withServices(logger: logger) { [settings] in
            buildInventory(
                settings: settings, database: database, client: client, logger: logger, clock: clock,
                onServerRunning: $0)
        } body: {
            try await body(TestClient(client, $0))
        }
    }
    await database.close()
}
