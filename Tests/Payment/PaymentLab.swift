import Foundation
import Gateway
import HTTPTypes
import ServiceTesting
import Shared
import TestSupport

@testable import InventoryService
@testable import NotificationService
@testable import PaymentService

/// A payment service with real neighbours: every service as `main` builds it, on real sockets and files.
///
/// ```
///   test --> payment --> inventory, notification, runner (each real, but where a test gives another URL)
/// ```
struct PaymentLab: Sendable {
    let payment: TestClient
    let inventory: TestClient
    let notification: TestClient
    let runner: FakeRunner
    let runnerURL: String
    let log: LogLines
    /// Where the databases are.
    let folder: URL
    let patience: Duration?

    struct Options: Sendable {
        /// Nil for the real one.
        var inventoryURL: String?
        var notificationURL: String?
        var inventoryTimeout = Duration.seconds(10)
        var stepTimeout = Duration.seconds(15)
        var notificationTimeout = Duration.seconds(3)
        var workerPeriod = Duration.milliseconds(50)
        /// How the payment service differs from production.
        var sabotage = Sabotage.none
        /// Runs when the neighbours are up and the payment service is not yet: the place for an earlier life of it.
        var before: (@Sendable (PaymentSettings, _ folder: URL) async throws -> Void)?
        var reservationSeconds = 900
        /// How long the stores, the leases (that of the failure modes too) and inventory wait for a machine that stands
        /// still, where a test is about something else; nil: as in production.
        var patience: Duration?
    }

    static func run(
        _ options: Options = .init(), _ body: @escaping @Sendable (PaymentLab) async throws -> Void
    ) async throws {
        try await withTemporaryFolder { folder in
            try await withHTTPClient { client in
                try await run(options, folder, client, body)
            }
        }
    }

    private static func run(
        _ options: Options, _ folder: URL, _ client: HTTPClient,
        _ body: @escaping @Sendable (PaymentLab) async throws -> Void
    ) async throws {
        let log = LogLines()
        let runner = FakeRunner()
        try await runner.run(logger: log.logger()) { runnerURL in
            try await withInventory(options, folder, client, log) { inventoryURL in
                try await withNotification(folder, client, log) { notificationURL in
                    var settings = PaymentSettings()
                    (settings.host, settings.port) = ("127.0.0.1", 0)
                    settings.scenarioRunnerURL = runnerURL
                    settings.inventoryURL = options.inventoryURL ?? inventoryURL
                    settings.notificationURL = options.notificationURL ?? notificationURL
                    settings.inventoryTimeout = options.patience ?? options.inventoryTimeout
                    settings.leaseDuration = options.patience ?? settings.leaseDuration
                    settings.notificationTimeout = options.notificationTimeout
                    settings.chainStepTimeout = options.stepTimeout
                    settings.settleTimeout = .seconds(2)
                    settings.workerPeriod = options.workerPeriod
                    try await options.before?(settings, folder)
                    try await withPayment(
                        settings, folder, client, log, options.sabotage, patience: options.patience
                    ) { paymentURL in
                        try await body(
                            PaymentLab(
                                payment: TestClient(client, paymentURL), inventory: TestClient(client, inventoryURL),
                                notification: TestClient(client, notificationURL), runner: runner,
                                runnerURL: runnerURL, log: log, folder: folder, patience: options.patience))
                    }
                }
            }
        }
    }

    /// One more payment service on the same database.
    ///
    /// - Parameter followsRunner: whether the failure modes are in force there too, once it has asked for them.
    func withReplica(
        followsRunner: Bool = false, _ body: @escaping @Sendable (TestClient) async throws -> Void
    ) async throws {
        var settings = PaymentSettings()
        (settings.host, settings.port) = ("127.0.0.1", 0)
        if followsRunner { settings.scenarioRunnerURL = runnerURL }
        settings.inventoryURL = inventory.baseURL
        settings.notificationURL = notification.baseURL
        settings.leaseDuration = patience ?? settings.leaseDuration
        let http = payment.http
        try await Self.withPayment(settings, folder, http, log, patience: patience) {
            try await body(TestClient(http, $0))
        }
    }

    static func withPayment(
        _ settings: PaymentSettings, _ folder: URL, _ client: HTTPClient, _ log: LogLines,
        _ sabotage: Sabotage = .none, patience: Duration? = nil,
        _ body: @escaping @Sendable (String) async throws -> Void
    ) async throws {
        let opened = try await openStore(
            sabotage.store, in: folder, migrations: PaymentStore.migrations, patience: patience)
        let database = sabotage.database(opened)
        let gateway = try await openStore(
            "gateway", in: folder, migrations: SimulatedAcquirer.migrations, patience: patience)
        try await withServices(logger: log.logger()) { running in
            buildPayment(
                settings: settings, database: database, gatewayDatabase: gateway, client: client,
                logger: log.logger(), hook: sabotage.hook, acquirer: sabotage.acquirer, onServerRunning: running)
        } body: {
            try await body($0)
        }
        await database.close()
        await gateway.close()
    }

    private static func withInventory(
        _ options: Options, _ folder: URL, _ client: HTTPClient, _ log: LogLines,
        _ body: @escaping @Sendable (String) async throws -> Void
    ) async throws {
        let database = try await openStore(
            "inventory", in: folder, migrations: InventoryStore.migrations, patience: options.patience)
        var settings = InventorySettings()
        (settings.host, settings.port) = ("127.0.0.1", 0)
        settings.reservationSeconds = options.reservationSeconds
        try await withServices(logger: log.logger()) { [settings] running in
            buildInventory(
                settings: settings, database: database, client: client, logger: log.logger(), onServerRunning: running)
        } body: {
            try await body($0)
        }
        await database.close()
    }

    private static func withNotification(
        _ folder: URL, _ client: HTTPClient, _ log: LogLines, _ body: @escaping @Sendable (String) async throws -> Void
    ) async throws {
        let database = try await openStore("notification", in: folder, migrations: NotificationStore.migrations)
        var settings = NotificationSettings()
        (settings.host, settings.port) = ("127.0.0.1", 0)
        try await withServices(logger: log.logger()) { [settings] running in
            buildNotification(
                settings: settings, database: database, client: client, logger: log.logger(), onServerRunning: running)
        } body: {
            try await body($0)
        }
        await database.close()
    }
}

extension PaymentLab {
    func pay(_ body: String = #"{"amount":100,"product_id":"1"}"#, key: String? = nil) async throws -> TestAnswer {
        var headers = HTTPFields()
        headers[.idempotencyKey] = key
        return try await payment.post("/payment/process", body, headers: headers)
    }

    /// Changes the failure modes, and returns when the change is in force.
    func change(seed: UInt64 = 7, _ modes: (inout FailureModes) -> Void) async throws {
        let lease = patience.map { Int($0.seconds) } ?? ServiceSettings.leaseSeconds
        runner.change(seed: seed, lease: lease, modes)
        try await eventually { runner.isFollowed }
    }

    /// Waits until the payment that an answer names has this status.
    func settles(_ answer: TestAnswer, _ status: String) async throws {
        try await eventually { try await self.status(answer) == status }
    }

    /// The status of the payment that an answer names.
    func status(_ answer: TestAnswer) async throws -> String? {
        guard let id = answer["payment_id"]?.text else { return nil }
        return try await payment.get("/payment/status/\(id)")["status"]?.text
    }

    func stock(_ id: String) async throws -> Int64 {
        guard case .integer(let stock) = try await inventory.get("/check/\(id)")["stock_count"] else { return -1 }
        return stock
    }
}
