import Foundation
import Shared
import Subprocess
import SystemPackage
import Testing

/// How the three services start and end, from the real executables.
@Suite("Service processes")
struct ServiceProcessTests {
    private static let names = ["payment-service", "inventory-service", "notification-service"]

    private func run(_ name: String, _ environment: [String: String]) async throws -> Command.Ended {
        try await Command(executable: name, environment: environment)()
    }

    @Test("A bad setting is one line that names it, exit code 78", arguments: names)
    func badSettings(name: String) async throws {
        for port in ["abc", "-1", "65536", "80.5", " "] {
            let ended = try await run(name, ["PORT": port, "DATABASE_URL": "sqlite:/proc/nowhere/a.sqlite"])
            #expect(ended.status == .exited(78), "\(port): \(ended.error)")
            #expect(ended.error == "bad configuration: PORT=\(port): must be an integer from 0 to 65535\n")
        }
        let two = try await run(name, ["PORT": "abc", "LOG_LEVEL": "loud"])
        #expect(two.status == .exited(78) && two.complaints.count == 1)
        #expect(two.error.contains("PORT=abc") && two.error.contains("LOG_LEVEL=loud"), "both at once: \(two.error)")
    }

    @Test("A port that is taken is named, exit code 69", arguments: names)
    func takenPort(name: String) async throws {
        let taken = try TakenPort()
        let port = taken.number
        try await withStateFolder { folder in
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            let ended = try await run(
                name,
                [
                    "HOST": "127.0.0.1", "PORT": "\(port)", "DATABASE_URL": "sqlite:\(folder)/a.sqlite",
                    "GATEWAY_DATABASE_URL": "sqlite:\(folder)/gateway.sqlite",
                ])
            #expect(ended.status == .exited(69), "\(ended.error)")
            #expect(ended.complaints.last?.contains("port \(port) of 127.0.0.1 is taken") == true, "\(ended.error)")
        }
    }

    @Test(
        "A database that cannot be had ends the process, and no password is told", arguments: names,
        [
            "postgres://user:secret@db/payments?unheard=secret", "sqlite:", "secret", "sqlite:/proc/nowhere/a.sqlite",
            "sqlite:/proc/version",
        ])
    func badDatabase(name: String, url: String) async throws {
        let ended = try await run(name, ["PORT": "0", "DATABASE_URL": url])
        #expect([.exited(69), .exited(78)].contains(ended.status), "\(ended.error)")
        #expect(!ended.error.isEmpty && !ended.error.contains("secret"), "\(ended.error)")
    }

    @Test(
        "A service whose starter died before it could look ends by itself", .timeLimit(.minutes(1)), arguments: names)
    func orphan(name: String) async throws {
        try await withStateFolder { folder in
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            let ended = try await run(
                name,
                [
                    "HOST": "127.0.0.1", "PORT": "0", "DATABASE_URL": "sqlite:\(folder)/a.sqlite",
                    // Not this process: the one that a plain lab's orphans are given to.
                    "GATEWAY_DATABASE_URL": "sqlite:\(folder)/gateway.sqlite", "EXIT_WITH_PARENT": "1",
                ])
            #expect(ended.status == .exited(69), "\(ended.error)")
            #expect(ended.complaints.last?.contains("the process that started this one is gone") == true)
        }
    }

    @Test("SIGTERM ends a service in order", arguments: names)
    func terminate(name: String) async throws {
        try await withStateFolder { folder in
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            let port = try TakenPort().number
            let result = try await Subprocess.run(
                .path(FilePath(LabProcess.executables.appendingPathComponent(name).path)),
                environment: .inherit.updating([
                    "HOST": "127.0.0.1", "PORT": "\(port)", "DATABASE_URL": "sqlite:\(folder)/a.sqlite",
                    "GATEWAY_DATABASE_URL": "sqlite:\(folder)/gateway.sqlite",
                ]),
                input: .none, output: .discarded, error: .discarded
            ) { execution in
                let client = HTTPClient()
                defer { kill(execution.processIdentifier.value, SIGTERM) }
                do {
                    try await waitUntil("\(name) is ready", within: .seconds(20)) {
                        let request = HTTPClientRequest(
                            url: "http://127.0.0.1:\(port)/health/ready", timeout: .seconds(2))
                        return (try? await client.execute(request).status) == 200
                    }
                } catch {
                    await client.shutdown()
                    throw error
                }
                await client.shutdown()
            }
            #expect(result.terminationStatus == .exited(0))
        }
    }
}
