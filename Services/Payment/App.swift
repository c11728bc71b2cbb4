import Gateway
import Logging
import Shared

@main
struct App {
    static func main() async {
        await ServiceMain.main {
            let settings = try PaymentSettings(SettingsReader())
            JSONLogHandler.bootstrap(service: PaymentSettings.serviceName, level: settings.logLevel)
            var logger = Logger(label: PaymentSettings.serviceName)
            logger[metadataKey: "replica"] = "\(settings.replicaName)"
            let database = try await Databases.open(
                url: settings.databaseURL, schema: "payment", passwordFile: settings.databasePasswordFile,
                migrations: PaymentStore.migrations)
            let gateway = try await Databases.open(
                url: settings.gatewayDatabaseURL, schema: "gateway", passwordFile: settings.databasePasswordFile,
                migrations: SimulatedAcquirer.migrations)
            let client = HTTPClient(configuration: .init())
            let services = buildPayment(
                settings: settings, database: database, gatewayDatabase: gateway, client: client, logger: logger)
            try await ServiceMain.run(services, logger: logger)
            await client.shutdown()
            await database.close()
            await gateway.close()
        }
    }
}
