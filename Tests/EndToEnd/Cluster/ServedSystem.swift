import Foundation
import HTTPTypes
import Shared
import Subprocess
import SystemPackage
import Testing

/// The three services as processes on loopback, a pod of the stand-in for each, and `scenario-runner serve` over them.
///
/// ```
///   payment --> inventory, notification        APIServerStandIn: payment-a1, inventory-b1, notification-c1
///      '-- settings --> scenario-runner serve --kubeconfig--'
/// ```
struct ServedSystem: Sendable {
    let standIn: APIServerStandIn
    /// Of the runner: `http://127.0.0.1:4711`.
    let url: String
    let paymentURL: String
    let inventoryURL: String
    let notificationURL: String
    let client: HTTPClient
    private let pid: Int32

    static let pods = [
        (name: "payment-a1", service: "payment-service"), (name: "inventory-b1", service: "inventory-service"),
        (name: "notification-c1", service: "notification-service"),
    ]

    /// A command of the runner that asks this one.
    func command(_ arguments: String...) async throws -> Command.Ended {
        try await Command.runner.run(arguments + ["--target", "kubernetes", "--runner", url])
    }

    func get(_ path: String) async throws -> (status: Int, body: JSONValue) {
        let response = try await client.execute(HTTPClientRequest(url: url + path, timeout: .seconds(20)))
        return (response.status, try response.decode(JSONValue.self))
    }

    func post(_ path: String, _ body: String? = nil) async throws -> (status: Int, body: JSONValue) {
        let response = try await client.execute(
            HTTPClientRequest(
                method: .post, url: url + path, headers: body == nil ? [:] : [.contentType: "application/json"],
                body: body.map { Data($0.utf8) }, timeout: .seconds(60)))
        return (response.status, try response.decode(JSONValue.self))
    }

    func put(_ path: String, _ body: String) async throws {
        let response = try await client.execute(
            HTTPClientRequest(
                method: .put, url: url + path, headers: [.contentType: "application/json"], body: Data(body.utf8),
                timeout: .seconds(20)))
        try #require(response.status == 200, "\(String(decoding: response.body, as: UTF8.self))")
    }

    /// What Kubernetes does to a pod that it ends.
    func terminate() { kill(pid, SIGTERM) }

    // MARK: Life

    /// Starts all of it, runs `body`, and ends it in order: the runner with exit code 0.
    ///
    /// - Parameter chaosTimeout: how long Chaos Mesh is waited for, in seconds; nil for as long as usual.
    static func withOne(
        chaosTimeout: Int? = nil, _ body: @Sendable @escaping (ServedSystem) async throws -> Void
    ) async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("served-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try await APIServerStandIn.withOne(in: folder) { standIn in
            try await standIn.put(pods: pods)
            let ports = try (0..<4).map { _ in try TakenPort().number }
            try await withProcess(services(ports: ports, folder: folder)) { _ in
                try await serve(standIn, ports: ports, folder: folder, chaosTimeout: chaosTimeout, body)
            }
        }
    }

    private struct Program {
        let name: String
        var arguments: [String] = []
        let environment: [Environment.Key: String?]
    }

    private static func url(_ port: Int) -> String { "http://127.0.0.1:\(port)" }

    private static func services(ports: [Int], folder: URL) -> [Program] {
        zip(pods, ports).map { pod, port in
            Program(
                name: pod.service,
                environment: [
                    "HOST": "127.0.0.1", "PORT": "\(port)", "REPLICA_NAME": pod.name,
                    "DATABASE_URL": "sqlite:\(folder.path)/\(pod.service).sqlite",
                    "GATEWAY_DATABASE_URL": "sqlite:\(folder.path)/gateway.sqlite",
                    "INVENTORY_SERVICE": url(ports[1]), "NOTIFICATION_SERVICE": url(ports[2]),
                    "SCENARIO_RUNNER_URL": url(ports[3]), "EXIT_WITH_PARENT": "\(getpid())",
                ])
        }
    }

    private static func serve(
        _ standIn: APIServerStandIn, ports: [Int], folder: URL, chaosTimeout: Int?,
        _ body: @Sendable @escaping (ServedSystem) async throws -> Void
    ) async throws {
        let runner = Program(
            name: "scenario-runner",
            arguments: [
                "serve", "--kubeconfig", standIn.kubeconfig, "--port", "\(ports[3])", "--state", "\(folder.path)/state",
            ],
            environment: [
                "PAYMENT_SERVICE": url(ports[0]), "INVENTORY_SERVICE": url(ports[1]),
                "NOTIFICATION_SERVICE": url(ports[2]), "SCENARIO_RUNNER_ENVIRONMENT": "local",
                "CHAOS_TIMEOUT": chaosTimeout.map(String.init),
            ])
        try await withProcess([runner]) { own in
            let client = HTTPClient()
            let system = ServedSystem(
                standIn: standIn, url: url(ports[3]), paymentURL: url(ports[0]), inventoryURL: url(ports[1]),
                notificationURL: url(ports[2]), client: client, pid: own[0])
            let outcome: Result<Void, any Error>
            do {
                try await waitUntil("everything is ready", within: .seconds(60)) { await system.isReady(ports) }
                outcome = .success(try await body(system))
            } catch { outcome = .failure(error) }
            await client.shutdown()
            try outcome.get()
        }
    }

    /// Every process answers, and the runner knows the pods.
    private func isReady(_ ports: [Int]) async -> Bool {
        for port in ports {
            let request = HTTPClientRequest(url: Self.url(port) + "/health/ready", timeout: .seconds(2))
            guard (try? await client.execute(request).status) == 200 else { return false }
        }
        let services = try? await get("/api/topology").body["services"]
        guard case .array(let all) = services else { return false }
        return all.allSatisfy { $0["replicas"] != .array([]) }
    }

    /// Runs programs, `body` beside them, and ends them with SIGTERM; each is to end in order.
    private static func withProcess(
        _ programs: [Program], pids: [Int32] = [], _ body: @Sendable @escaping ([Int32]) async throws -> Void
    ) async throws {
        guard let program = programs.first else { return try await body(pids) }
        let others = Array(programs.dropFirst())
        let result = try await Subprocess.run(
            .path(FilePath(LabProcess.executables.appendingPathComponent(program.name).path)),
            arguments: Arguments(program.arguments), environment: .inherit.updating(program.environment),
            workingDirectory: FilePath(LabProcess.repository.path), input: .none, output: .discarded, error: .discarded
        ) { execution in
            let pid = execution.processIdentifier.value
            let outcome: Result<Void, any Error>
            do {
                outcome = .success(try await withProcess(others, pids: pids + [pid], body))
            } catch { outcome = .failure(error) }
            kill(pid, SIGTERM)
            return outcome
        }
        try result.closureResult.get()
        #expect(result.terminationStatus == .exited(0), "\(program.name)")
    }
}
