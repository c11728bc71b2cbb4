import HTTPTypes
import Load
import Shared

extension SystemUnderTest {
    /// A child process where the users are, or the master that the settings name.
    func locustDriver(_ settings: LocustSettings, folder: LabFolder, client: HTTPClient) -> any LocustDriver {
        if let master = settings.masterURL {
            guard !isSealed else { return UnreachableMaster() }
            return LocustMaster(url: master, host: settings.masterHost, client: client, folder: folder)
        }
        return LocustProcess(
            installation: LocustInstallation(settings, folder: folder), folder: folder,
            addresses: [
                "PAYMENT_URL": targets.payment, "INVENTORY_URL": targets.inventory,
                "NOTIFICATION_URL": targets.notification,
            ],
            place: place, restock: Restock(client: client, inventoryURL: targets.inventory).run)
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
