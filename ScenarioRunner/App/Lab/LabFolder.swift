import Foundation
import Shared

/// The folder in which one lab keeps everything: `.lab` by default.
///
/// ```
///   .lab/lock       held while a lab runs here
///   .lab/lab.json   where the running lab answers
///   .lab/logs/      one file a replica
///   .lab/data/      the services' databases
///   .lab/runs/      one journal a run, and the files of Locust's runs
///   .lab/halted     while everything is halted, of a runner that is no lab
/// ```
struct LabFolder: Sendable {
    let root: URL

    init(path: String) { root = URL(fileURLWithPath: path).standardizedFileURL }

    var logs: URL { root.appendingPathComponent("logs") }
    var data: URL { root.appendingPathComponent("data") }
    var runs: URL { root.appendingPathComponent("runs") }
    private var stateFile: URL { root.appendingPathComponent("lab.json") }

    /// Makes the folders that are missing.
    ///
    /// - Throws: ``LabError`` when they cannot be made.
    func prepare() throws {
        do {
            for folder in [logs, data, runs] {
                try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            }
        } catch {
            throw LabError("cannot write to \(root.path); choose another folder with --state")
        }
    }

    /// Where a running lab answers.
    struct State: Codable, Sendable, Equatable {
        /// The outer process, which takes signals.
        let pid: Int32
        /// `http://127.0.0.1:8000`.
        let runnerURL: String
        let paymentURL: String
        let inventoryURL: String
        let notificationURL: String
        /// `lab` or `plain`.
        let engine: String

        enum CodingKeys: String, CodingKey {
            case pid, engine
            case runnerURL = "runner_url"
            case paymentURL = "payment_url"
            case inventoryURL = "inventory_url"
            case notificationURL = "notification_url"
        }
    }

    /// What the running lab wrote, or nil when none runs: whoever holds the lock is alive.
    func runningLab() -> State? {
        guard let lock = try? LabLock.take(in: self) else {
            return (try? Data(contentsOf: stateFile)).flatMap { try? JSONDecoder().decode(State.self, from: $0) }
        }
        lock.release()
        return nil
    }

    /// Where the lab in the folder that a person named answers.
    ///
    /// - Throws: ``LabError`` when none runs there.
    static func runningLab(in path: String) throws -> State {
        guard let lab = LabFolder(path: path).runningLab() else {
            throw LabError("no lab runs in \(path); start one with 'scenario-runner lab', or name its --state")
        }
        return lab
    }

    func write(_ state: State) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try encoder.encode(state).write(to: stateFile, options: .atomic)
    }

    func removeState() { try? FileManager.default.removeItem(at: stateFile) }
}

/// The right to run a lab in a folder. The kernel gives it back when the process ends, however it ends.
struct LabLock: Sendable {
    private let descriptor: Int32

    /// - Parameter preparing: makes the folders first.
    /// - Throws: ``LabError`` when another lab holds it.
    static func take(in folder: LabFolder, preparing: Bool = false) throws -> LabLock {
        if preparing { try folder.prepare() }
        let path = folder.root.appendingPathComponent("lock").path
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw LabError("cannot write to \(path); choose another folder with --state") }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            throw LabError("a lab already runs in \(folder.root.path); stop it, or choose another folder with --state")
        }
        return LabLock(descriptor: descriptor)
    }

    func release() { close(descriptor) }
}

/// What keeps a lab from running. The process says so in one line and exits with 69.
struct LabError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
