import Foundation
import HTTPTypes
import Shared
import Subprocess
import SystemPackage
import Testing

/// The real executables, started as people start them, on ports of their own.
struct LabProcess: Sendable {
    struct State: Decodable {
        let runner_url: String
        let payment_url: String
        let inventory_url: String
        let notification_url: String
    }

    /// The folder in which the executables lie beside the test binary.
    static var executables: URL {
        URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
    }

    static var runner: String { executables.appendingPathComponent("scenario-runner").path }

    /// The repository: this file is Tests/EndToEnd/LabProcess.swift.
    static var repository: URL {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
    }

    /// Whether this machine lets the tests make namespaces; the tests that need them are skipped where not. Continuous
    /// integration skips nothing: there they fail.
    static let namespacesWork: Bool = {
        if ProcessInfo.processInfo.environment["CI"] != nil { return true }
        let user = geteuid() == 0 ? [] : ["--user", "--map-root-user"]
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/unshare")
        process.arguments = user + ["--net", "--pid", "--mount", "--fork", "--mount-proc", "true"]
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return false }
        process.waitUntilExit()
        return process.terminationStatus == 0
    }()

    /// Names the lab's folder in the environment of all its processes: by it ``HostState`` knows them.
    static let markKey: Environment.Key = "LAB_OF_TEST"

    let state: State
    let folder: URL
    let pid: Int32
    let client: HTTPClient

    func send(_ signal: Int32) { kill(pid, signal) }

    /// Whether nobody listens on any of the lab's ports.
    func portsAreFree() async -> Bool {
        for url in [state.runner_url, state.payment_url, state.inventory_url, state.notification_url] {
            let client = HTTPClient()
            let answer = try? await client.execute(HTTPClientRequest(url: url + "/health", timeout: .seconds(2)))
            await client.shutdown()
            if answer != nil { return false }
        }
        return true
    }

    // MARK: Requests

    func get(_ url: String) async throws -> (status: Int, body: JSONValue) {
        try await call(.get, url, body: nil)
    }

    func post(_ url: String, _ body: String = "{}") async throws -> (status: Int, body: JSONValue) {
        try await call(.post, url, body: body)
    }

    /// Sets how the services guard themselves.
    func set(_ resilience: ResilienceSettings) async throws {
        let body = String(decoding: try JSONEncoder().encode(resilience), as: UTF8.self)
        let answer = try await call(.put, state.runner_url + "/api/resilience", body: body)
        #expect(answer.status == 200, "\(answer.body)")
    }

    private func call(
        _ method: HTTPRequest.Method, _ url: String, body: String?
    ) async throws -> (status: Int, body: JSONValue) {
        let response = try await client.execute(
            HTTPClientRequest(
                method: method, url: url, headers: body == nil ? [:] : [.contentType: "application/json"],
                body: body.map { Data($0.utf8) }, timeout: .seconds(20)))
        return (response.status, try JSONDecoder().decode(JSONValue.self, from: response.body))
    }

    // MARK: Life

    /// Starts a lab, runs `body` with it, ends it with SIGTERM, and checks that it ended in order.
    ///
    /// - Parameters:
    ///   - folder: keeps the data of an earlier lab; a fresh one when nil, which is removed at the end.
    ///   - executables: the folder of the four executables.
    static func withLab(
        _ arguments: [String] = [], folder: URL? = nil, executables: URL = executables, endsInOrder: Bool = true,
        _ body: @Sendable @escaping (LabProcess) async throws -> Void
    ) async throws {
        let home = folder ?? FileManager.default.temporaryDirectory.appendingPathComponent("lab-\(UUID().uuidString)")
        defer { if folder == nil { try? FileManager.default.removeItem(at: home) } }
        var options = PlatformOptions()
        options.teardownSequence = [.gracefulShutDown(allowedDurationToNextStep: .seconds(12))]
        let result = try await Subprocess.run(
            .path(FilePath(executables.appendingPathComponent("scenario-runner").path)),
            arguments: Arguments(
                ["lab", "--state", home.path, "--experiments", "chaos-experiments", "--ports", "0,0,0,0"] + arguments),
            environment: .inherit.updating([markKey: home.path]), workingDirectory: FilePath(repository.path),
            platformOptions: options, input: .none, output: .discarded, error: .discarded
        ) { execution in
            let client = HTTPClient()
            do {
                let state = try await waitForState(in: home)
                let lab = LabProcess(
                    state: state, folder: home, pid: execution.processIdentifier.value, client: client)
                try await body(lab)
                if endsInOrder { lab.send(SIGTERM) }
            } catch {
                kill(execution.processIdentifier.value, SIGTERM)
                await client.shutdown()
                throw error
            }
            await client.shutdown()
        }
        #expect(result.terminationStatus == (endsInOrder ? .exited(0) : .signaled(SIGKILL)))
    }

    static func waitForState(in folder: URL) async throws -> State {
        let file = folder.appendingPathComponent("lab.json")
        try await waitUntil("the lab is up", within: .seconds(60)) { FileManager.default.fileExists(atPath: file.path) }
        return try JSONDecoder().decode(State.self, from: Data(contentsOf: file))
    }
}

/// A condition did not come true in time.
struct NotInTime: Error, CustomStringConvertible {
    let description: String
}

/// Polls until `condition` holds.
func waitUntil(
    _ what: String, within limit: Duration, _ condition: @Sendable () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + limit
    while try await !condition() {
        guard ContinuousClock.now < deadline else { throw NotInTime(description: "not within \(limit): \(what)") }
        try await Task.sleep(for: .milliseconds(20))
    }
}

/// Runs a command of the runner to its end.
func runner(
    _ arguments: [String]
) async throws -> (code: TerminationStatus, output: String, error: String) {
    let result = try await Subprocess.run(
        .path(FilePath(LabProcess.runner)), arguments: Arguments(arguments),
        workingDirectory: FilePath(LabProcess.repository.path), input: .none,
        output: .string(limit: 4 * 1024 * 1024), error: .string(limit: 64 * 1024))
    return (result.terminationStatus, result.standardOutput, result.standardError)
}
