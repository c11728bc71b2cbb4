import Load
import Shared

/// What runs Locust: a child process here, or a master with workers somewhere.
protocol LocustDriver: Sendable {
    /// `process` or `master`.
    var name: String { get }

    /// Why it cannot be used now, with the remedy; nil when it can.
    func obstacle() async -> String?

    /// Gets everything ready, a master's test started included.
    ///
    /// - Throws: ``Problem`` 503 when there is no Locust, 409 when a master is busy, 422 when it does not know the
    ///   profile's users.
    func start(_ order: LocustOrder) async throws -> StartedLocust
}

/// A Locust that is about to run, or runs.
struct StartedLocust: Sendable {
    /// What whoever started it should know.
    var note: String?
    /// Ends what ``LocustDriver/start(_:)`` has started, when nobody will follow it.
    var abandon: @Sendable () async -> Void = {}
    /// Follows it to its end, which comes soon once `stop` is open.
    let follow: @Sendable (_ stop: Latch, _ onReport: @escaping @Sendable (LocustReport) -> Void) async -> LocustEnd
}

/// Where Locust is, and whom it drives: parsed before anything starts.
struct LocustSettings: Codable, Sendable, Equatable {
    static let usualProfilesFolder = "ScenarioRunner/load-profiles/locust"

    /// The folder of the profiles.
    var profilesFolder = usualProfilesFolder
    /// `LOCUST_BIN`: the program; searched for when absent.
    var program: String?
    /// `LOCUST_MASTER_URL`: the page of a master that is driven instead; no slash at its end.
    var masterURL: String?
    /// `LOCUST_HOST`: what a master's users are sent to; the master's own file decides when absent.
    var masterHost: String?

    init(profilesFolder: String) { self.profilesFolder = profilesFolder }

    /// - Throws: ``SettingsError`` for an address that is none.
    init(profilesFolder: String, environment: [String: String]) throws {
        self.profilesFolder = profilesFolder
        func value(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        program = value("LOCUST_BIN")
        func address(_ name: String) throws -> String? {
            guard let text = value(name) else { return nil }
            guard text.wholeMatch(of: #/https?:\/\/[^\/?#\s@]+\/?/#) != nil else {
                throw SettingsError(messages: [
                    "\(name) must be an address such as http://locust-master:8089, with no path"
                ])
            }
            return text.hasSuffix("/") ? String(text.dropLast()) : text
        }
        masterURL = try address("LOCUST_MASTER_URL")
        masterHost = try address("LOCUST_HOST")
    }
}
