import Gateway
import Logging
import ServiceLifecycle
import Shared

/// The payment service, ready to run: `main` and the tests build it alike.
///
/// ```
///   HTTP --> PaymentController --> PaymentProcessor --> InventoryClient, Acquirer, NotificationClient
///                    |                     '----------> PaymentStore --> Database
///                    '--> Chain                             ^
///                    '--------------------------------------'
///   runner --> SettingsFollower --> SimulatedAcquirer
/// ```
func buildPayment(
    settings: PaymentSettings, database: any Database, client: HTTPClient, logger: Logger,
    onServerRunning: @escaping @Sendable (_ port: Int) async -> Void = { _ in }
) -> [any Service] {
    let server = HTTPServer(
        settings: HTTPServerSettings(
            name: PaymentSettings.serviceName, host: settings.host, port: settings.port,
            about: "Payment service: takes payments, gives refunds, and says what became of them."),
        logger: logger)
    let follower = SettingsFollower(
        runnerURL: settings.scenarioRunnerURL, client: client, metrics: server.registry, logger: logger)
    let store = PaymentStore(database: database)
    let inventory = InventoryClient(
        downstream: Downstream(client: client, baseURL: settings.inventoryURL),
        settleTimeout: settings.settleTimeout)
    let notifications = NotificationClient(
        downstream: Downstream(client: client, baseURL: settings.notificationURL))
    let processor = PaymentProcessor(
        store: store, inventory: inventory, notifications: notifications,
        acquirer: SimulatedAcquirer(settings: { follower.current }),
        inventoryTimeout: settings.inventoryTimeout, notificationTimeout: settings.notificationTimeout,
        metrics: server.registry, logger: logger)
    let chain = Chain(inventory: inventory, notifications: notifications, stepTimeout: settings.chainStepTimeout)
    let controller = PaymentController(store: store, processor: processor, chain: chain)
    return [
        follower,
        server.application(
            routes: controller.routes, openAPI: PackageResources.openapi_yaml, onServerRunning: onServerRunning),
    ]
}
