import Cluster
import Foundation
import Load
import Logging
import Shared

/// What `scenario-runner serve` is told by its environment: in a pod, in a plain container, or at a person's desk.
struct ServeSettings: Sendable {
    /// `HOST`: every address, as the services do; at a desk, with a kubeconfig, 127.0.0.1.
    let host: String
    /// `PORT`: 0 to 65535; 0 lets the kernel choose.
    let port: Int
    /// `LOG_LEVEL`: trace, debug, info, notice, warning, error or critical.
    let logLevel: Logger.Level
    /// `PAYMENT_SERVICE`, `INVENTORY_SERVICE`, `NOTIFICATION_SERVICE`: base URLs. Beside the services they are found by
    /// name; at a desk behind port-forwards.
    let targets: LoadProfile.Targets
    /// `STATE_FOLDER`, `EXPERIMENTS_FOLDER`, `PROFILES_FOLDER`, `LOCUST_FOLDER`; `SCENARIO_RUNNER_ENVIRONMENT`;
    /// `ALLOW_TOTAL`: whether faults may touch every replica of every service at once; `SEED`.
    let runner: RunnerSettings
    /// `CHAOS_TIMEOUT`: how long Chaos Mesh may take to put a fault in force, and again to take it away: 1 to 30 seconds,
    /// 30 by default. All of it has to fit into the time that a pod has to end.
    let chaosTimeout: Duration
    /// Nil where there is no cluster.
    let access: ClusterAccess?
    /// At a desk, behind loopback, the names are known by which it is asked for; elsewhere nobody can know them.
    let callers: CallerRule

    /// - Parameters:
    ///   - environment: of this process, with what the command line says in place of it.
    ///   - pod: the one that this process runs in.
    /// - Throws: ``SettingsError`` naming every setting that is wrong.
    init(environment: [String: String], pod: KubernetesEnvironment?, access: ClusterAccess?) throws {
        let isAtDesk = access.map { $0.origin != .pod } ?? false
        let reader = SettingsReader(environment: environment)
        host = reader.text("HOST", default: isAtDesk ? Self.deskHost : "0.0.0.0")
        port = reader.integer("PORT", in: 0...65535, default: 8000)
        logLevel = reader.choice("LOG_LEVEL", default: .info)
        func url(_ name: String, of service: SystemUnderTest.Service) -> String {
            reader.baseURL(name, default: "http://\(isAtDesk ? "localhost" : service.name):\(service.port)")
        }
        let services = SystemUnderTest.services
        targets = LoadProfile.Targets(
            payment: url("PAYMENT_SERVICE", of: services[0]), inventory: url("INVENTORY_SERVICE", of: services[1]),
            notification: url("NOTIFICATION_SERVICE", of: services[2]))
        let seeds = 0...Int(RunRequest.seeds.upperBound)
        let seed = reader.integer("SEED", in: seeds, default: .random(in: seeds))
        let allowTotal = reader.choice("ALLOW_TOTAL", default: Switch.false) == .true
        chaosTimeout = .seconds(reader.integer("CHAOS_TIMEOUT", in: 1...30, default: 30))
        let folder = LabFolder(path: reader.text("STATE_FOLDER", default: ".lab"))
        let experiments = reader.text("EXPERIMENTS_FOLDER", default: "chaos-experiments")
        let profiles = reader.text("PROFILES_FOLDER", default: "ScenarioRunner/load-profiles")
        let locust = reader.text("LOCUST_FOLDER", default: LocustSettings.usualProfilesFolder)
        try reader.finish()
        runner = RunnerSettings(
            folder: folder, experimentsFolder: experiments, profilesFolder: profiles,
            locust: try LocustSettings(profilesFolder: locust, environment: environment),
            cooldownSeconds: try RunnerEnvironment.detected(in: environment, pod).cooldownMinutes * 60,
            allowTotal: allowTotal, remembersHalt: true, seed: UInt64(seed))
        self.access = access
        callers = isAtDesk && host == Self.deskHost ? .thisMachine : CallerRule()
    }

    private static let deskHost = "127.0.0.1"

    private enum Switch: String, CaseIterable { case `true`, `false` }
}

extension RunnerEnvironment {
    /// - Throws: ``SettingsError`` for a value that is none.
    static func detected(in environment: [String: String], _ pod: KubernetesEnvironment?) throws -> RunnerEnvironment {
        do {
            return try detect(environment: environment, cluster: pod)
        } catch {
            throw SettingsError(messages: ["\(error)"])
        }
    }
}
