import Gateway
import Logging
import ServiceLifecycle
import Shared

/// The payment service, ready to run: `main` and the tests build it alike.
///
/// ```
///   HTTP --> PaymentController --> PaymentProcessor --> InventoryClient, Acquirer, Deliverer
///                    |                     '----------> PaymentStore --> Database
///                    '--> RefundProcessor, Chain, Audit     ^
///   workers: reconciler, outbox, refunds -------------------'   (those of every replica share the work by lease)
///   runner --> SettingsFollower --> SimulatedAcquirer --> the gateway's own Database
/// ```
///
/// - Parameters:
///   - database: opened with ``PaymentStore/migrations``.
///   - gatewayDatabase: opened with ``SimulatedAcquirer/migrations``.
///   - hook: for tests that end the process at a step of its work.
///   - acquirer: for tests that put something between the service and its gateway.
func buildPayment(
    settings: PaymentSettings, database: any Database, gatewayDatabase: any Database, client: HTTPClient,
    logger: Logger, hook: StepHook = .none, acquirer: (any Acquirer) -> any Acquirer = { $0 },
    onServerRunning: @escaping @Sendable (_ port: Int) async -> Void = { _ in }
) -> [any Service] {
    let registry = MetricsRegistry()
    let follower = SettingsFollower(
        runnerURL: settings.scenarioRunnerURL, name: settings.replicaName, client: client, metrics: registry,
        logger: logger)
    let server = HTTPServer(
        settings: HTTPServerSettings(
            name: PaymentSettings.serviceName, host: settings.host, port: settings.port,
            about: "Payment service: takes payments, gives refunds, and says what became of them.",
            replica: settings.replicaName),
        registry: registry, resilience: { follower.current.resilience }, logger: logger)
    let gateway = SimulatedAcquirer(database: gatewayDatabase, settings: { follower.current })
    let parts = PaymentParts(
        settings: settings, database: database, acquirer: acquirer(gateway), client: client, metrics: registry,
        hook: hook, resilience: { follower.current.resilience }, logger: logger)
    let controller = PaymentController(
        store: parts.store, processor: parts.processor, refunds: parts.refunds,
        chain: Chain(
            inventory: parts.inventory, notifications: parts.deliverer.notifications,
            stepTimeout: settings.chainStepTimeout),
        audit: Audit(store: parts.store, acquirer: parts.acquirer))
    // A group ends its services from the last to the first: the server, then those that finish its work.
    return [follower, parts.keeper] + parts.workers(period: settings.workerPeriod, logger: logger) + [
        server.application(
            routes: controller.routes, openAPI: PackageResources.openapi_yaml, onServerRunning: onServerRunning)
    ]
}

/// What works on payments, with any acquirer.
struct PaymentParts: Sendable {
    let store: PaymentStore
    let acquirer: any Acquirer
    let inventory: InventoryClient
    let deliverer: Deliverer
    let keeper: LeaseKeeper
    let processor: PaymentProcessor
    let reconciler: Reconciler
    let refunds: RefundProcessor

    init(
        settings: PaymentSettings, database: any Database, acquirer: any Acquirer, client: HTTPClient,
        metrics: MetricsRegistry, hook: StepHook = .none,
        resilience: @escaping @Sendable () -> ResilienceSettings = { .fallback }, logger: Logger,
        clock: @escaping @Sendable () -> UnixTime = { .now }
    ) {
        self.acquirer = acquirer
        store = PaymentStore(
            database: database, owner: Identifier.make(prefix: "OWN"), replica: settings.replicaName,
            deliveryLease: max(settings.settleTimeout, settings.notificationTimeout) + .seconds(1),
            leaseDuration: settings.leaseDuration, clock: clock)
        func downstream(_ service: String, _ baseURL: String) -> Downstream {
            Downstream(
                client: client, baseURL: baseURL,
                serviceGuard: ServiceGuard(
                    service: service, caller: settings.replicaName, metrics: metrics, settings: resilience))
        }
        inventory = InventoryClient(
            downstream: downstream("inventory", settings.inventoryURL),
            settleTimeout: settings.settleTimeout)
        deliverer = Deliverer(
            store: store, inventory: inventory,
            notifications: NotificationClient(
                downstream: downstream("notification", settings.notificationURL)),
            notificationTimeout: settings.notificationTimeout, logger: logger)
        keeper = LeaseKeeper(store: store, logger: logger)
        let outcomes = PaymentOutcomes(metrics: metrics, logger: logger)
        processor = PaymentProcessor(
            store: store, inventory: inventory, acquirer: acquirer, deliverer: deliverer, keeper: keeper,
            inventoryTimeout: settings.inventoryTimeout, acceptsPending: { resilience().has(.acceptPending) },
            outcomes: outcomes, hook: hook, logger: logger)
        reconciler = Reconciler(
            store: store, acquirer: acquirer, deliverer: deliverer, outcomes: outcomes, hook: hook, logger: logger)
        refunds = RefundProcessor(store: store, acquirer: acquirer, hook: hook, logger: logger)
    }

    func workers(period: Duration, logger: Logger) -> [any Service] {
        [
            Worker(name: "reconciler", period: period, logger: logger, round: reconciler.settleAbandoned),
            Worker(name: "outbox", period: period, logger: logger, round: deliverer.deliverWaiting),
            Worker(name: "refunds", period: period, logger: logger, round: refunds.finishAbandoned),
        ]
    }
}
