import Logging
import ServiceLifecycle
import Shared

/// The notification service, ready to run: `main` and the tests build it alike.
///
/// ```
///   HTTP --> NotificationController --> NotificationStore --> Database
/// ```
func buildNotification(
    settings: NotificationSettings, database: any Database, logger: Logger,
    onServerRunning: @escaping @Sendable (_ port: Int) async -> Void = { _ in }
) -> [any Service] {
    let server = HTTPServer(
        settings: HTTPServerSettings(
            name: NotificationSettings.serviceName, host: settings.host, port: settings.port,
            about: "Notification service: tells people what became of their payments.",
            replica: settings.replicaName),
        logger: logger)
    let controller = NotificationController(store: NotificationStore(database: database))
    return [
        server.application(
            routes: controller.routes, openAPI: PackageResources.openapi_yaml, onServerRunning: onServerRunning)
    ]
}
