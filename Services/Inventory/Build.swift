import Logging
import ServiceLifecycle
import Shared

/// The inventory service, ready to run: `main` and the tests build it alike.
///
/// ```
///   HTTP --> InventoryController --> InventoryStore --> Database
/// ```
func buildInventory(
    settings: InventorySettings, database: any Database, logger: Logger,
    clock: @escaping @Sendable () -> UnixTime = { .now },
    onServerRunning: @escaping @Sendable (_ port: Int) async -> Void = { _ in }
) -> [any Service] {
    let server = HTTPServer(
        settings: HTTPServerSettings(
            name: InventorySettings.serviceName, host: settings.host, port: settings.port,
            about: "Inventory service: what is on the shelf, and what is promised to a payment.",
            replica: settings.replicaName),
        logger: logger)
    let controller = InventoryController(
        store: InventoryStore(database: database, reservationSeconds: settings.reservationSeconds, clock: clock))
    return [
        server.application(
            routes: controller.routes, openAPI: PackageResources.openapi_yaml, onServerRunning: onServerRunning)
    ]
}
