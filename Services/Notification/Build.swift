import Logging
import ServiceLifecycle
import Shared

/// The notification service, ready to run: `main` and the tests build it alike.
///
/// ```
///   HTTP --> NotificationController --> NotificationStore --> Database
///   runner --> SettingsFollower --> the server: deadlines, load shedding
/// ```
func buildNotification(
    settings: NotificationSettings, database: any Database, client: HTTPClient, logger: Logger,
    onServerRunning: @escaping @Sendable (_ port: Int) async -> Void = { _ in }
) -> [any Service] {
    let registry = MetricsRegistry()
    let follower = SettingsFollower(
        runnerURL: settings.scenarioRunnerURL, name: settings.replicaName, client: client, metrics: registry,
        logger: logger)
    var serverSettings = HTTPServerSettings(
        name: NotificationSettings.serviceName, host: settings.host, port: settings.port,
        about: "Notification service: tells people what became of their payments.",
        replica: settings.replicaName)
    serverSettings.shedsLoad = true
    let server = HTTPServer(
        settings: serverSettings, registry: registry, resilience: { follower.current.resilience }, logger: logger)
    let controller = NotificationController(store: NotificationStore(database: database))
    return [
        follower,
        server.application(
            routes: controller.routes, openAPI: PackageResources.openapi_yaml, onServerRunning: onServerRunning),
    ]
}
