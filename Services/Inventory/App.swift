import Logging
import Shared

@main
struct App {
    static func main() async {
        await ServiceMain.main {
            let settings = try InventorySettings(SettingsReader())
            JSONLogHandler.bootstrap(service: InventorySettings.serviceName, level: settings.logLevel)
            var logger = Logger(label: InventorySettings.serviceName)
            logger[metadataKey: "replica"] = "\(settings.replicaName)"
            let database = try await Databases.open(
                url: settings.databaseURL, schema: "inventory", passwordFile: settings.databasePasswordFile,
                migrations: InventoryStore.migrations)
            let client = HTTPClient()
            let services = buildInventory(settings: settings, database: database, client: client, logger: logger)
            try await ServiceMain.run(services, logger: logger)
            await client.shutdown()
            await database.close()
        }
    }
}
