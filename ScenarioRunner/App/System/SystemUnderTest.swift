import Load

/// The system that is broken and measured, as runs, loads and the picture see it, whoever keeps it alive.
///
/// ```
///   the lab:    LabTopology, Supervisor --.
///                                         +--> SystemUnderTest --> runs, load, Locust, picture
///   a cluster:  the pods of a namespace --'
/// ```
struct SystemUnderTest: Sendable {
    /// One service: a name under which clients look it up, and its replicas. Users call the first one.
    struct Service: Sendable, Equatable {
        /// `payment`, `inventory`, `notification`.
        let tier: String
        let port: Int

        /// `payment-service`.
        var name: String { "\(tier)-service" }
    }

    struct Replica: Sendable, Equatable {
        enum State: Sendable, Equatable {
            case up
            /// It ended and is started again, or has been started and is not ready yet.
            case restarting
            /// A fault holds it down.
            case down
            /// It is not wanted: before the start and after the end.
            case stopped
        }

        /// As faults and `X-Served-By` name it: `payment-0`, or the name of its pod.
        let name: String
        let tier: String
        let address: String
        let port: Int
        let state: State
        /// How often its process was started again: what counts from zero begins anew with it.
        let restarts: Int
    }

    /// Who is meant where users are.
    static let client = "client"

    static let services = [
        Service(tier: "payment", port: 5002), Service(tier: "inventory", port: 5003),
        Service(tier: "notification", port: 5004),
    ]

    /// Those that there are now; in a cluster they come and go.
    let replicas: @Sendable () -> [Replica]
    /// Where the services answer those who are where the users are.
    let targets: LoadProfile.Targets
    /// This program.
    let executable: String
    /// The command that runs a command where the users are.
    var place: @Sendable ([String]) -> [String] = { $0 }
    /// Its network reaches nothing outside.
    var isSealed = false
    /// Of a cluster; nil in the lab.
    var namespace: String?
    /// Whether the replicas' own addresses can be reached from here, which their `/metrics` take.
    var reachesReplicas = true
    /// Why nobody knows how the replicas do; nil while somebody does.
    var blindness: @Sendable () -> String? = { nil }

    /// The command that runs a command of this program where the users are.
    func command(_ arguments: String...) -> [String] { place([executable] + arguments) }
}
