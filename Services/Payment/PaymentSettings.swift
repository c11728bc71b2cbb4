import Logging
import Shared

/// What the payment service is told by its environment.
struct PaymentSettings: Sendable {
    static let serviceName = "payment-service"

    /// `HOST`: the address to listen on, every one by default.
    var host = "0.0.0.0"
    /// `PORT`: 0 to 65535; 0 lets the kernel choose.
    var port = 5002
    /// `DATABASE_URL`: `sqlite:/path`, or `postgres://...` in builds with the trait `Postgres`.
    /// Replicas that share it see each other's payments.
    var databaseURL = "sqlite:./data/payment.sqlite"
    /// `DATABASE_PASSWORD_FILE`: a file that holds PostgreSQL's password alone; it is read at every connection.
    var databasePasswordFile: String?
    /// `GATEWAY_DATABASE_URL`: the simulated gateway's own books, which the replicas share too. It may be the same as
    /// `DATABASE_URL` where that is PostgreSQL, with the same password file.
    var gatewayDatabaseURL = "sqlite:./data/gateway.sqlite"
    /// `LOG_LEVEL`: trace, debug, info, notice, warning, error or critical.
    var logLevel = Logger.Level.info
    /// `REPLICA_NAME`: stands in every log line, and in `X-Served-By` of every answer.
    var replicaName = serviceName
    /// `INVENTORY_SERVICE`: a base URL.
    var inventoryURL = "http://inventory-service:5003"
    /// `NOTIFICATION_SERVICE`: a base URL.
    var notificationURL = "http://notification-service:5004"
    /// `SCENARIO_RUNNER_URL`: a base URL. Without it every failure mode stays off.
    var scenarioRunnerURL: String?
    /// `INVENTORY_TIMEOUT_MS`: the inventory steps of one payment, all together. 1 to 60000.
    var inventoryTimeout = Duration.seconds(10)
    /// `CHAIN_STEP_TIMEOUT_MS`: one step of a chain. 1 to 60000.
    var chainStepTimeout = Duration.seconds(15)
    /// `NOTIFICATION_TIMEOUT_MS`: how long a paid customer waits for the notification to leave. 1 to 60000.
    var notificationTimeout = Duration.seconds(3)
    /// `SETTLE_TIMEOUT_MS`: one confirmation or release of stock, which runs whoever has given up meanwhile. 1 to
    /// 2500: a process that ends has 3 s for it.
    var settleTimeout = Duration.seconds(2)
    /// `WORKER_PERIOD_MS`: how often a worker without work looks for some. 10 to 1000: work of a dead replica is
    /// taken over within 5 s, of which its lease takes 4.
    var workerPeriod = Duration.milliseconds(300)
    /// How long a claim on a payment or a refund holds. The environment has no say in it: together with the pause
    /// between two rounds of a worker it stays below 5 s, in which the work of a dead replica is taken over.
    var leaseDuration = Duration.seconds(4)

    init() {}

    /// - Throws: ``SettingsError`` naming every setting that is wrong.
    init(_ reader: SettingsReader) throws {
        host = reader.text("HOST", default: host)
        port = reader.integer("PORT", in: 0...65535, default: port)
        databaseURL = reader.text("DATABASE_URL", default: databaseURL)
        databasePasswordFile = reader.optionalText("DATABASE_PASSWORD_FILE")
        gatewayDatabaseURL = reader.text("GATEWAY_DATABASE_URL", default: gatewayDatabaseURL)
        logLevel = reader.choice("LOG_LEVEL", default: logLevel)
        replicaName = reader.text("REPLICA_NAME", default: replicaName)
        inventoryURL = reader.baseURL("INVENTORY_SERVICE", default: inventoryURL)
        notificationURL = reader.baseURL("NOTIFICATION_SERVICE", default: notificationURL)
        scenarioRunnerURL = reader.optionalBaseURL("SCENARIO_RUNNER_URL")
        inventoryTimeout = reader.milliseconds("INVENTORY_TIMEOUT_MS", in: 1...60_000, default: 10_000)
        chainStepTimeout = reader.milliseconds("CHAIN_STEP_TIMEOUT_MS", in: 1...60_000, default: 15_000)
        notificationTimeout = reader.milliseconds("NOTIFICATION_TIMEOUT_MS", in: 1...60_000, default: 3000)
        settleTimeout = reader.milliseconds("SETTLE_TIMEOUT_MS", in: 1...2500, default: 2000)
        workerPeriod = reader.milliseconds("WORKER_PERIOD_MS", in: 10...1000, default: 300)
        try reader.finish()
    }
}
