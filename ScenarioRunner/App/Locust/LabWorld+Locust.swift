import HTTPTypes
import Load
import Shared

extension LabWorld {
    /// A child process where this lab's users are, or the master that the settings name.
    func locustDriver(client: HTTPClient) -> any LocustDriver {
        if let master = settings.locust.masterURL {
            guard network == nil else { return UnreachableMaster() }
            return LocustMaster(
                url: master, host: settings.locust.masterHost, client: client, folder: settings.folder)
        }
        return LocustProcess(
            installation: LocustInstallation(settings.locust, folder: settings.folder), folder: settings.folder,
            addresses: [
                "PAYMENT_URL": paymentURL, "INVENTORY_URL": inventoryURL, "NOTIFICATION_URL": notificationURL,
            ],
            place: commandOnClient, restock: Restock(client: client, inventoryURL: inventoryURL).run)
    }
}

/// `LOCUST_MASTER_URL` in a lab whose network reaches nothing outside.
private struct UnreachableMaster: LocustDriver {
    let name = "master"

    private static let reason =
        "LOCUST_MASTER_URL names a Locust master, and the lab's own network reaches nothing outside: "
        + "start the lab with --plain, or unset it."

    func obstacle() async -> String? { Self.reason }

    func start(_ order: LocustOrder) async throws -> StartedLocust {
        throw Problem(.serviceUnavailable, Self.reason)
    }
}
