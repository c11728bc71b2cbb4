import Experiments
import Foundation
import Load
import Logging
import Sandbox
import ServiceLifecycle
import Shared

/// Where everything of one lab is: the hosts and addresses, the commands that start the replicas, and what faults act
/// on. One of two worlds: hosts in network namespaces behind a router, or plain processes on loopback.
struct LabWorld: Sendable {
    let settings: LabSettings
    let topology: LabTopology
    /// Nil in plain mode.
    let network: LabNetwork?
    /// Nil where cgroups cannot be written.
    let controlGroups: ControlGroups?
    let placements: [String: Placement]
    let listeners: [ListeningSocket]
    /// Where the runner's API listens, inside.
    let runnerPort: Int

    /// Builds the network and the cgroups.
    ///
    /// - Throws: ``LabError`` with the remedy.
    init(settings: LabSettings, listeners: [ListeningSocket]) async throws {
        self.settings = settings
        self.listeners = listeners
        if settings.plain {
            let ports = try FreePorts.find(8)
            topology = .loopback(ports: Array(ports.dropFirst()))
            network = nil
            runnerPort = ports[0]
        } else {
            topology = LabTopology()
            let network = LabNetwork(topology: topology)
            do {
                try await network.start()
            } catch {
                throw LabError("the lab's network cannot be built: \(error)")
            }
            self.network = network
            runnerPort = LabTopology.runnerPort
        }
        (controlGroups, placements) = try await Self.place(topology.replicas, limits: settings.limits)
    }

    /// The name that engines and reports use.
    var engineName: String { network == nil ? "plain" : "lab" }

    private var runnerHost: String { network == nil ? "127.0.0.1" : LabTopology.routerAddress }

    /// Where the payment service is reached by those who are inside: its virtual address, or the front door.
    var paymentURL: String { url(of: "payment") }
    var inventoryURL: String { url(of: "inventory") }
    var notificationURL: String { url(of: "notification") }

    private func url(of tier: String) -> String {
        if network != nil, let service = topology.services.first(where: { $0.tier == tier }) {
            return "http://\(service.name):\(service.port)"
        }
        return "http://127.0.0.1:\(port(of: tier))"
    }

    /// The port of the front door on the host.
    func port(of name: String) -> Int { listeners.first { $0.name == name }?.port ?? 0 }

    /// Where people and the command line find this lab.
    var state: LabFolder.State {
        func url(_ name: String) -> String { "http://127.0.0.1:\(port(of: name))" }
        return .init(
            pid: settings.outerPID, runnerURL: url("runner"), paymentURL: url("payment"),
            inventoryURL: url("inventory"), notificationURL: url("notification"), engine: engineName)
    }

    /// As runs, loads and the picture see it.
    ///
    /// - Parameter statuses: how the replicas' processes do now.
    func system(statuses: @escaping @Sendable () -> [ReplicaStatus]) -> SystemUnderTest {
        SystemUnderTest(
            replicas: { [topology] in topology.replicas(statuses()) },
            targets: .init(payment: paymentURL, inventory: inventoryURL, notification: notificationURL),
            executable: settings.executable("scenario-runner"), place: commandOnClient, isSealed: network != nil)
    }

    // MARK: Processes

    /// The command that runs `command` where the load comes from.
    func commandOnClient(_ command: [String]) -> [String] {
        network?.command(in: LabTopology.clientHost, command) ?? command
    }

    var replicaCommands: [ReplicaCommand] {
        topology.replicas.map { replica in
            let program = [settings.executable("\(replica.tier)-service")]
            let onHost = network?.command(in: replica.name, program) ?? program
            return ReplicaCommand(
                name: replica.name,
                // Into its cgroup first, then into its network: both end in an exec of the service itself.
                arguments: placements[replica.name]?.enter(onHost) ?? onHost,
                environment: environment(of: replica),
                logFile: settings.folder.logs.appendingPathComponent("\(replica.name).log").path,
                limits: settings.limits && controlGroups == nil ? .deployment : nil)
        }
    }

    private func environment(of replica: LabTopology.Replica) -> [String: String] {
        func database(_ name: String) -> String {
            settings.database?.url ?? "sqlite:\(settings.folder.data.appendingPathComponent("\(name).sqlite").path)"
        }
        let leash = network == nil ? ["EXIT_WITH_PARENT": "\(getpid())"] : [:]
        return [
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOST": network == nil ? "127.0.0.1" : "0.0.0.0",
            "PORT": String(replica.port),
            "REPLICA_NAME": replica.name,
            "DATABASE_URL": database(replica.tier),
            "GATEWAY_DATABASE_URL": database("gateway"),
            "INVENTORY_SERVICE": inventoryURL,
            "NOTIFICATION_SERVICE": notificationURL,
            "SCENARIO_RUNNER_URL": "http://\(runnerHost):\(runnerPort)",
        ].merging(inheritedEnvironment.merging(leash) { $1 }) { own, _ in own }
    }

    /// What a replica takes over from the person who started the lab.
    private var inheritedEnvironment: [String: String] {
        let names = [
            "LOG_LEVEL", "LD_LIBRARY_PATH", "INVENTORY_TIMEOUT_MS", "CHAIN_STEP_TIMEOUT_MS", "DATABASE_PASSWORD_FILE",
        ]
        return ProcessInfo.processInfo.environment.filter { names.contains($0.key) }
    }

    private static func place(
        _ replicas: [LabTopology.Replica], limits: Bool
    ) async throws -> (ControlGroups?, [String: Placement]) {
        let groups = try? await ControlGroups.open(
            labName: String(Identifier.make(prefix: "lab").suffix(12).lowercased()))
        var placements: [String: Placement] = [:]
        for (index, replica) in replicas.enumerated() {
            if let groups {
                placements[replica.name] = .group(
                    try groups.group(for: replica.name, limits: limits ? .deployment : nil))
            } else {
                placements[replica.name] = .processor(Pinning(replica: index))
            }
        }
        return (groups, placements)
    }

    // MARK: Doors and faults

    /// The relays behind the host's ports: users' traffic enters on the `client` host and crosses the router like
    /// everyone's; the runner's own port leads straight to the router.
    func frontDoors(logger: Logger) throws -> [any Service] {
        let runnerDoor = FrontDoor(routes: routes(to: "runner", ["\(runnerHost):\(runnerPort)"]), logger: logger)
        let userRoutes = topology.services.flatMap { service in
            routes(
                to: service.tier,
                network == nil
                    ? service.replicas.map { "\($0.address):\($0.port)" } : ["\(service.name):\(service.port)"])
        }
        if network == nil { return [runnerDoor, FrontDoor(routes: userRoutes, logger: logger)] }
        let command = commandOnClient(
            [settings.executable("scenario-runner"), "front-door"] + userRoutes.map(\.argument))
        return [runnerDoor, FrontDoorProcess(command: command, inheriting: userRoutes.map(\.descriptor))]
    }

    private func routes(to name: String, _ destinations: [String]) -> [FrontDoor.Route] {
        listeners.filter { $0.name == name }.compactMap {
            FrontDoor.Route(argument: "\($0.descriptor):\(destinations.joined(separator: ","))")
        }
    }

    func engine(supervisor: Supervisor) -> LocalEngine {
        LocalEngine(
            topology: topology, hasNetwork: network != nil, placements: placements,
            workerCommand: [settings.executable("scenario-runner"), "stress-worker"],
            pathWorkerCommand: [settings.executable("scenario-runner"), "path-worker"],
            dataFolder: settings.folder.data.path, supervisor: supervisor)
    }
}

extension LabTopology {
    /// The replicas as `statuses` find them; one of which nothing is known is not wanted.
    func replicas(_ statuses: [ReplicaStatus]) -> [SystemUnderTest.Replica] {
        let byName = Dictionary(statuses.map { ($0.name, $0) }) { first, _ in first }
        return replicas.map { replica in
            let status = byName[replica.name]
            return .init(
                name: replica.name, tier: replica.tier, address: replica.address, port: replica.port,
                state: .init(status?.state ?? .stopped), restarts: status?.restarts ?? 0)
        }
    }
}

extension SystemUnderTest.Replica.State {
    fileprivate init(_ state: ReplicaState) {
        self =
            switch state {
            case .up: .up
            case .restarting: .restarting
            case .held: .down
            case .stopped: .stopped
            }
    }
}

/// The front door as a process of its own on the `client` host.
struct FrontDoorProcess: Service {
    let command: [String]
    let descriptors: [Int32]

    init(command: [String], inheriting descriptors: [Int32]) {
        self.command = command
        self.descriptors = descriptors
    }

    func run() async throws {
        let process = try InheritingProcess(
            executable: command[0], arguments: Array(command.dropFirst()), inheriting: descriptors)
        let code = await withGracefulShutdownHandler {
            await process.exitCode()
        } onGracefulShutdown: {
            process.signal(SIGTERM)
        }
        // Asked to end or not, without a front door there is no lab; after a shutdown nobody reads this.
        if !Task.isShuttingDownGracefully { throw LabError("the front door ended with \(code); see the runner's log") }
    }
}
