import Logging
import Shared

@main
struct App {
    static func main() async {
        await ServiceMain.main {
            let settings = try NotificationSettings(SettingsReader())
            JSONLogHandler.bootstrap(service: NotificationSettings.serviceName, level: settings.logLevel)
            var logger = Logger(label: NotificationSettings.serviceName)
            logger[metadataKey: "replica"] = "\(settings.replicaName)"
            let database = try await Databases.open(
                url: settings.databaseURL, schema: "notification", passwordFile: settings.databasePasswordFile,
                migrations: NotificationStore.migrations)
            let client = HTTPClient()
            let services = buildNotification(settings: settings, database: database, client: client, logger: logger)
            try await ServiceMain.run(services, logger: logger)
            await client.shutdown()
            await database.close()
        }
    }
}
