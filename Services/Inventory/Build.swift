import Logging
import ServiceLifecycle
import Shared

/// The inventory service, ready to run: `main` and the tests build it alike.
///
/// ```
///   HTTP --> InventoryController --> Warehouse --> InventoryStore --> Database
///   runner --> SettingsFollower ---------^    (and the server: deadlines, load shedding)
/// ```
func buildInventory(
    settings: InventorySettings, database: any Database, client: HTTPClient, logger: Logger,
    clock: @escaping @Sendable () -> UnixTime = { .now },
    onServerRunning: @escaping @Sendable (_ port: Int) async -> Void = { _ in }
) -> [any Service] {
    let registry = MetricsRegistry()
    let follower = SettingsFollower(
        runnerURL: settings.scenarioRunnerURL, name: settings.replicaName, client: client, metrics: registry,
        logger: logger)
    var serverSettings = HTTPServerSettings(
        name: InventorySettings.serviceName, host: settings.host, port: settings.port,
        about: "Inventory service: what is on the shelf, and what is promised to a payment.",
        replica: settings.replicaName)
    serverSettings.shedsLoad = true
    let server = HTTPServer(
        settings: serverSettings, registry: registry, resilience: { follower.current.resilience }, logger: logger)
    let controller = InventoryController(
        store: InventoryStore(database: database, reservationSeconds: settings.reservationSeconds, clock: clock),
        warehouse: Warehouse(metrics: registry) { follower.current.resilience.inventoryPool })
    return [
        follower,
        server.application(
            routes: controller.routes, openAPI: PackageResources.openapi_yaml, onServerRunning: onServerRunning),
    ]
}
