import ArgumentParser
import Foundation
import Testing

@testable import ScenarioRunner

/// What a lab is told, and where it keeps things.
@Suite struct LabFolderTests {
    private static let state = LabFolder.State(
        pid: 7, runnerURL: "http://127.0.0.1:8000", paymentURL: "http://127.0.0.1:5002",
        inventoryURL: "http://127.0.0.1:5003", notificationURL: "http://127.0.0.1:5004", engine: "lab")

    private func withFolder(_ body: (LabFolder) throws -> Void) throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("lab-folder-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        try body(LabFolder(path: path))
    }

    @Test func oneLabAFolder() throws {
        try withFolder { folder in
            let lock = try LabLock.take(in: folder, preparing: true)
            let refused = #expect(throws: LabError.self) { try LabLock.take(in: folder) }
            #expect(refused?.description.contains("a lab already runs in \(folder.root.path)") == true)
            lock.release()
            try LabLock.take(in: folder).release()
        }
    }

    @Test func aLabRunsWhileItsLockIsHeld() throws {
        try withFolder { folder in
            #expect(folder.runningLab() == nil, "there is not even a folder")
            let lock = try LabLock.take(in: folder, preparing: true)
            #expect(folder.runningLab() == nil, "it has not said yet where it answers")
            try folder.write(Self.state)
            #expect(folder.runningLab() == Self.state)
            lock.release()
            #expect(folder.runningLab() == nil, "a lab that was killed leaves its file, but not its lock")
            folder.removeState()
            #expect(!FileManager.default.fileExists(atPath: folder.root.appendingPathComponent("lab.json").path))
        }
    }

    @Test func theFoldersAreMade() throws {
        try withFolder { folder in
            try folder.prepare()
            try folder.prepare()
            for made in [folder.logs, folder.data, folder.runs] {
                #expect(FileManager.default.fileExists(atPath: made.path))
            }
        }
    }

    @Test func aFolderThatCannotBeWrittenIsSaid() throws {
        try withFolder { folder in
            try Data().write(to: folder.root)
            let refused = #expect(throws: LabError.self) { try LabLock.take(in: folder, preparing: true) }
            #expect(refused?.description.contains("--state") == true)
        }
    }

    @Test func settingsSurviveTheWayInside() throws {
        let options = try LabOptions.parse([
            "--state", "some/../folder", "--experiments", "exp", "--ports", "0,1,2,65535", "--plain", "--no-limits",
            "--seed", "18446744073709551615",
        ])
        let settings = try options.settings()
        #expect(settings.ports == .init(payment: 0, inventory: 1, notification: 2, runner: 65535))
        #expect(settings.plain && !settings.limits && settings.seed == .max && settings.outerPID == getpid())
        #expect(settings.stateFolder.hasSuffix("/folder") && settings.experimentsFolder == "exp")
        #expect(settings.cooldownSeconds == 60)
        #expect(try LabSettings(encoded: settings.encoded()) == settings)
        #expect(throws: (any Error).self) { try LabSettings(encoded: "{}") }
    }

    @Test(arguments: [
        ["--experiments", "chaos-experiments"], ["--profiles", "a"], ["--locust-profiles", "a"],
        ["--database", "postgres:///a"], ["--plain"], ["--no-limits"], ["--allow-total"],
        ["--ports", "5002,5003,5004,8000"],
    ])
    func whatShapesALabSaysNothingToOneThatRuns(arguments: [String]) throws {
        let options = try LabOptions.parse(arguments + ["--seed", "1", "--state", "x"])
        #expect(options.shaping == [arguments[0]])
        let refusal = #expect(throws: RefusedRequest.self) { try options.requireNoShaping(because: "one runs") }
        #expect(
            refusal?.description == "\(arguments[0]) would shape a lab that this command starts, but one runs")
        try options.requireNoShaping(but: [arguments[0]], because: "one runs")
        try LabOptions.parse(["--seed", "1", "--state", "x"]).requireNoShaping(because: "one runs")
    }

    @Test(arguments: [
        ("postgres:///shop?host=/run/postgresql", false), ("postgresql://me@%2Frun%2Fpostgresql/shop", false),
        ("postgres://me@db.example:5432/shop?sslmode=verify-full", true), ("postgres://db.example/shop", true),
    ])
    func databaseOfALab(url: String, needsPlain: Bool) throws {
        #expect(try LabDatabase(url: url, isPlain: true).url == url)
        guard needsPlain else { return _ = try LabDatabase(url: url, isPlain: false) }
        let refusal = #expect(throws: LabDatabase.Refusal.self) { try LabDatabase(url: url, isPlain: false) }
        #expect(refusal?.description.contains("--plain") == true)
    }

    @Test(arguments: [
        "postgres://me:secret@db/shop", "postgres://db/shop?user=me&password=secret", "sqlite:secret.db", "secret",
    ])
    func passwordsAreNoUsage(url: String) throws {
        let options = try LabOptions.parse(["--plain", "--database", url])
        let error = try #require(throws: ValidationError.self) { try options.settings() }
        #expect(LabOptions.exitCode(for: error).rawValue == 64 && !error.message.contains("secret"))
    }

    @Test(arguments: [
        " ", "5002", "5002,5003,5004", "5002,5003,5004,8000,9000", "5002,5003,5004,", "a,b,c,d", "-1,0,0,0",
        "0,0,0,65536", "0;0;0;0", "5002,,5004,8000",
    ])
    func wrongPortsAreWrongUsage(text: String) throws {
        let options = try LabOptions.parse(["--ports=\(text)"])
        let error = #expect(throws: ValidationError.self) { try options.settings() }
        #expect(error?.message.contains("four numbers from 0 to 65535") == true)
        #expect(LabOptions.exitCode(for: try #require(error)).rawValue == 64)
    }
}
