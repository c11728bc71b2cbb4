import Experiments
import Foundation
import Sandbox
import Shared

/// Everything that a lab is told, parsed before anything starts. The outer process hands it to the inner one as JSON.
struct LabSettings: Codable, Sendable, Equatable {
    /// Ports on 127.0.0.1 of the host; 0 takes a free one.
    struct Ports: Codable, Sendable, Equatable {
        var payment = 5002
        var inventory = 5003
        var notification = 5004
        var runner = 8000
    }

    var stateFolder: String
    var experimentsFolder: String
    var profilesFolder: String
    /// Where the four executables lie.
    var executablesFolder: String
    var ports = Ports()
    /// Nil for SQLite files in the lab's folder.
    var database: LabDatabase?
    /// Replicas on loopback, without namespaces.
    var plain = false
    /// 200m of CPU and 128Mi of memory a replica, as in the Kubernetes manifests.
    var limits = true
    /// Whether faults may touch every replica of every service at once.
    var allowTotal = false
    /// Decides every draw and every random choice.
    var seed: UInt64
    /// 60 locally, 300 in production.
    var cooldownSeconds: Int
    var locust: LocustSettings
    /// The outer process, as the host knows it.
    var outerPID: Int32
    /// What the doctor found before the lab was there: inside it he would examine the lab.
    var findings: [Finding] = []

    var folder: LabFolder { LabFolder(path: stateFolder) }

    /// What is not the lab's own but any runner's.
    var runner: RunnerSettings {
        RunnerSettings(
            folder: folder, experimentsFolder: experimentsFolder, profilesFolder: profilesFolder, locust: locust,
            cooldownSeconds: cooldownSeconds, allowTotal: allowTotal, seed: seed)
    }

    /// The path of one of the executables.
    func executable(_ name: String) -> String { "\(executablesFolder)/\(name)" }

    func encoded() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }

    init(encoded text: String) throws { self = try JSONDecoder().decode(Self.self, from: Data(text.utf8)) }

    init(
        stateFolder: String, experimentsFolder: String, profilesFolder: String, ports: Ports,
        database: LabDatabase? = nil, plain: Bool, limits: Bool,
        allowTotal: Bool, seed: UInt64, cooldownSeconds: Int, locust: LocustSettings
    ) throws {
        self.stateFolder = URL(fileURLWithPath: stateFolder).standardizedFileURL.path
        // As given: refusals name the files as their reader does. The inner process keeps the working folder.
        self.experimentsFolder = experimentsFolder
        self.profilesFolder = profilesFolder
        let own = NamespaceLauncher.ownExecutable
        executablesFolder = URL(fileURLWithPath: own).deletingLastPathComponent().path
        self.ports = ports
        self.database = database
        self.plain = plain
        self.limits = limits
        self.allowTotal = allowTotal
        self.seed = seed
        self.cooldownSeconds = cooldownSeconds
        self.locust = locust
        outerPID = getpid()
        try requireExecutables()
    }

    private func requireExecutables() throws {
        for name in ["payment-service", "inventory-service", "notification-service"]
        where !FileManager.default.isExecutableFile(atPath: executable(name)) {
            throw LabError("\(executable(name)) is missing; build all products first: swift build -c release")
        }
    }
}
