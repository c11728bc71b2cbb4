import Foundation
import Logging
import TestSupport
import Testing

@testable import Sandbox

/// A folder of a test's own, removed at its end.
final class TestFolder: Sendable {
    let path: String

    init() throws {
        let url = FileManager.default.temporaryDirectory.appending(path: "sandbox-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        path = url.path()
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func file(_ name: String) -> String { path + "/" + name }

    func text(_ name: String) -> String { (try? String(contentsOfFile: file(name), encoding: .utf8)) ?? "" }
}

/// Runs a supervisor around `body` and ends it afterwards.
func supervise(
    _ commands: [ReplicaCommand], grace: Duration = Supervisor.grace, body: (Supervisor) async throws -> Void
) async throws {
    let supervisor = Supervisor(
        commands: commands, logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }), grace: grace)
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await supervisor.run() }
        try await body(supervisor)
        group.cancelAll()
    }
    #expect(supervisor.snapshot().allSatisfy { $0.state == .stopped && $0.pid == nil })
}

extension Supervisor {
    /// Returns once every replica has a running process.
    func waitUntilRunning() async throws {
        try await eventually("every replica runs") { snapshot().allSatisfy { $0.state == .up } }
    }

    func pid(of name: String) throws -> Int32 { try #require(status(of: name)?.pid) }
}

/// Whether `pid` is a process that has not ended. Our own unreaped children do not count.
func isAlive(_ pid: Int32) -> Bool {
    guard let stat = ProcessStat.read(pid) else { return false }
    return stat.state != "Z"
}

/// Why control groups cannot be tested here; nil where they can.
let controlGroupObstacle: String? = {
    let places = ControlGroupPlaces.ofThisProcess().candidates
    if places.isEmpty { return "no hierarchy with cpu and memory controllers" }
    let writable = places.contains { $0.parents.distinct.allSatisfy { access($0, W_OK) == 0 } }
    return writable ? nil : "control groups are not writable for this user"
}()
