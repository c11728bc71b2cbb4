import Logging
import Shared

/// What the notification service is told by its environment.
struct NotificationSettings: Sendable {
    static let serviceName = "notification-service"

    /// `HOST`: the address to listen on, every one by default.
    var host = "0.0.0.0"
    /// `PORT`: 0 to 65535; 0 lets the kernel choose.
    var port = 5004
    /// `DATABASE_URL`: `sqlite:/path`, or `postgres://...` in builds with the trait `Postgres`.
    /// Replicas that share it have one history.
    var databaseURL = "sqlite:./data/notification.sqlite"
    /// `DATABASE_PASSWORD_FILE`: a file that holds PostgreSQL's password alone; it is read at every connection.
    var databasePasswordFile: String?
    /// `LOG_LEVEL`: trace, debug, info, notice, warning, error or critical.
    var logLevel = Logger.Level.info
    /// `REPLICA_NAME`: stands in every log line, and in `X-Served-By` of every answer.
    var replicaName = serviceName
    /// `SCENARIO_RUNNER_URL`: a base URL. Without it the resilience patterns are those of the fallback.
    var scenarioRunnerURL: String?

    init() {}

    /// - Throws: ``SettingsError`` naming every setting that is wrong.
    init(_ reader: SettingsReader) throws {
        host = reader.text("HOST", default: host)
        port = reader.integer("PORT", in: 0...65535, default: port)
        databaseURL = reader.text("DATABASE_URL", default: databaseURL)
        databasePasswordFile = reader.optionalText("DATABASE_PASSWORD_FILE")
        logLevel = reader.choice("LOG_LEVEL", default: logLevel)
        replicaName = reader.text("REPLICA_NAME", default: replicaName)
        scenarioRunnerURL = reader.optionalBaseURL("SCENARIO_RUNNER_URL")
        try reader.finish()
    }
}
