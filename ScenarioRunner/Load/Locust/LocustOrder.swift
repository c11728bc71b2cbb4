import Shared

/// One Locust run, as it was asked for and with every default filled in.
public struct LocustOrder: Sendable, Equatable {
    public static let users = 1...5000
    public static let spawnRates = 0.1...1000.0
    public static let runTimes = Duration.seconds(1)...Duration.seconds(3600)
    public static let defaultUsers = 1
    public static let defaultSpawnRate = 10.0
    public static let defaultRunTime = Duration.seconds(60)
    /// How long users may finish what they are at when the time is up.
    static let stopTimeoutSeconds = 1

    /// `LOAD-...`; its files bear it too.
    public let id: String
    public let profile: LocustProfile
    public let userCount: Int
    /// New users a second.
    public let spawnRate: Double
    public let runTime: Duration

    public init(id: String, profile: LocustProfile, userCount: Int, spawnRate: Double, runTime: Duration) {
        self.id = id
        self.profile = profile
        self.userCount = userCount
        self.spawnRate = spawnRate
        self.runTime = runTime
    }

    /// Locust counts its time in whole seconds.
    public var runTimeSeconds: Int { Int(runTime.seconds.rounded(.up)) }

    /// The arguments of a Locust without a page of its own, which ends by itself.
    ///
    /// - Parameters:
    ///   - stream: the file that tells how it goes, loaded before the profile.
    ///   - files: its report is `<files>.html`, its tables are `<files>_stats.csv` and so on.
    public func arguments(stream: String, files: String) -> [String] {
        [
            "--locustfile", "\(stream),\(profile.path)", "--headless", "--users", String(userCount),
            "--spawn-rate", String(spawnRate), "--run-time", "\(runTimeSeconds)s",
            "--stop-timeout", String(Self.stopTimeoutSeconds), "--csv", files, "--html", "\(files).html",
            "--only-summary",
        ]
    }

    /// The body of a master's `POST /swarm`.
    ///
    /// - Parameter host: what the users are sent to; nil leaves it to the master's own file.
    public func form(host: String?) -> String {
        let fields =
            [("user_count", String(userCount)), ("spawn_rate", String(spawnRate)), ("run_time", "\(runTimeSeconds)s")]
            + (host.map { [("host", $0)] } ?? []) + profile.userClasses.map { ("user_classes", $0) }
        return fields.map { "\($0)=\(URLEscape.pathSegment($1))" }.joined(separator: "&")
    }
}
