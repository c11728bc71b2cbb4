import Cluster
import Experiments
import Foundation
import HTTPTypes
import Logging
import Shared
import Synchronization
import TestSupport

/// An API server of its own for one test: real TLS over a real socket, and as much trouble as the test asks for. It is a
/// program in Python (`stand-in/`), for there is no TLS server to be had in Swift here; it ends with its standard input,
/// so with the test in any case.
struct StandIn: Sendable {
    let port: Int
    private let control: Int
    private let client = HTTPClient()

    static let namespace = "payment-chaos"

    private struct Ports: Decodable {
        let port: Int
        let control: Int
    }

    struct Unusable: Error, CustomStringConvertible {
        let description: String
    }

    @discardableResult
    static func run<Value>(_ body: (StandIn) async throws -> Value) async throws -> Value {
        let certificates = try TestCertificates.shared.get()
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        let program = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(
            path: "stand-in/apiserver.py")
        process.arguments = ["python3", "-B", program.path]
        let (input, output) = (Pipe(), Pipe())
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        let result: Result<Value, any Error>
        do { result = .success(try await run(process, input, output, certificates, body)) } catch {
            result = .failure(error)
        }
        process.terminate()
        try await onThread { process.waitUntilExit() }
        return try result.get()
    }

    private static func run<Value>(
        _ process: Process, _ input: Pipe, _ output: Pipe, _ certificates: TestCertificates,
        _ body: (StandIn) async throws -> Value
    ) async throws -> Value {
        let settings = [
            "certificate": certificates.path("server.crt"), "key": certificates.path("server.key"),
            "clientAuthorities": certificates.path("ca.crt"),
        ]
        input.fileHandleForWriting.write(try JSONEncoder().encode(settings) + Data("\n".utf8))
        let line = try await onThread { output.fileHandleForReading.availableData }
        guard let ports = try? JSONDecoder().decode(Ports.self, from: line) else {
            throw Unusable(description: "the stand-in said: \(String(decoding: line, as: UTF8.self))")
        }
        let standIn = StandIn(port: ports.port, control: ports.control)
        defer { try? input.fileHandleForWriting.close() }
        let value = try await body(standIn)
        await standIn.client.shutdown()
        return value
    }

    private init(port: Int, control: Int) {
        self.port = port
        self.control = control
    }

    // MARK: What it is to do

    private func tell<Answer: Decodable>(_ path: String, _ body: JSONValue? = nil) async throws -> Answer {
        let answer = try await client.execute(
            HTTPClientRequest(
                method: body == nil ? .get : .put, url: "http://127.0.0.1:\(control)\(path)",
                body: try body.map { try JSONEncoder().encode($0) }, timeout: .seconds(10),
                maxResponseBytes: 16 * 1024 * 1024))
        return try answer.decode()
    }

    func set(_ settings: [String: JSONValue]) async throws {
        let _: JSONValue = try await tell("/settings", .object(settings))
    }

    /// Asks for trouble with the next `times` calls.
    func trouble(
        _ what: String, verb: String? = nil, resource: String? = nil, times: Int = 1, _ more: [String: JSONValue] = [:]
    ) async throws {
        var fault: [String: JSONValue] = ["do": .string(what), "times": .integer(Int64(times))]
        if let verb { fault["verb"] = .string(verb) }
        if let resource { fault["resource"] = .string(resource) }
        try await set(["faults": .array([.object(fault.merging(more) { $1 })])])
    }

    func putPods(_ pods: [JSONValue]) async throws {
        let _: JSONValue = try await tell("/pods", .array(pods))
    }

    func putChaos(_ object: JSONValue) async throws {
        let _: JSONValue = try await tell("/chaos", object)
    }

    func delete(_ resource: String, _ name: String) async throws {
        let _: JSONValue = try await tell(
            "/delete", .object(["resource": .string(resource), "name": .string(name)]))
    }

    func compact() async throws {
        let _: JSONValue = try await tell("/compact", .object([:]))
    }

    // MARK: What it has seen

    struct Call: Decodable, Sendable {
        let verb: String
        let resource: String
        let namespace: String?
        let name: String?
        let query: [String: String]
        let body: JSONValue?
    }

    func calls() async throws -> [Call] { try await tell("/log") }

    func objects() async throws -> [JSONValue] { try await tell("/objects") }

    /// Those of Chaos Mesh that people make.
    func chaos() async throws -> [JSONValue] {
        try await objects().filter { object in
            object["apiVersion"] == .string("chaos-mesh.org/v1alpha1")
                && !Self.kindsOfRules.contains(object["kind"]?.text ?? "")
        }
    }

    private static let kindsOfRules: Set = ["PodNetworkChaos", "PodIOChaos", "PodHttpChaos"]

    /// What the pods' own objects of Chaos Mesh still hold, by whom it is of: `payment-chaos/trial-x7k2q`.
    func loadedRules() async throws -> [String] {
        try await objects().filter { Self.kindsOfRules.contains($0["kind"]?.text ?? "") }.flatMap { object in
            ["ipsets", "iptables", "tcs", "actions", "rules"].flatMap { list -> [String] in
                guard case .array(let items)? = object["spec"]?[list] else { return [] }
                return items.map { $0["source"]?.text ?? "nobody" }
            }
        }
    }

    // MARK: The way in

    /// A kubeconfig for it.
    func kubeconfig(user: String = "token: good", cluster: String? = nil) throws -> String {
        let authorities = try TestCertificates.shared.get().path("ca.crt")
        return """
            apiVersion: v1
            kind: Config
            current-context: test
            clusters:
            - name: stand-in
              cluster:
                server: https://127.0.0.1:\(port)
                \(cluster ?? "certificate-authority: \(authorities)")
            users:
            - name: tester
              user:
                \(user)
            contexts:
            - name: test
              context: {cluster: stand-in, user: tester, namespace: \(Self.namespace)}
            """
    }

    func access(user: String = "token: good", cluster: String? = nil) throws -> ClusterAccess {
        let file = FileManager.default.temporaryDirectory.appending(path: "kubeconfig-\(UUID().uuidString)")
        try Data(kubeconfig(user: user, cluster: cluster).utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        return try ClusterAccess.kubeconfig(path: file.path, environment: [:])
    }

    /// Runs `body` with all that a runner has, and ends its connections.
    @discardableResult
    func withCluster<Value>(
        _ access: ClusterAccess? = nil, timing: ClusterTiming = .quick, logger: Logger? = nil,
        _ body: (ChaosCluster) async throws -> Value
    ) async throws -> Value {
        let cluster = ChaosCluster(
            try access ?? self.access(), calls: TestPods.calls, timing: timing,
            logger: logger
                ?? Logger(label: "test") { _ in
                    SwiftLogNoOpLogHandler()
                })
        do {
            let value = try await body(cluster)
            await cluster.api.shutdown()
            return value
        } catch {
            await cluster.api.shutdown()
            throw error
        }
    }
}

extension ClusterTiming {
    /// Long enough for a loaded machine, short enough where a deadline is what is tested: tests shorten single ones.
    static var quick: ClusterTiming {
        var timing = ClusterTiming()
        timing.firstRetry = .milliseconds(10)
        timing.longestRetry = .milliseconds(100)
        timing.sweep = .milliseconds(50)
        return timing
    }

    /// For troubles, whose removal is waited for in vain.
    static func trouble(injection: Duration = .seconds(20)) -> ClusterTiming {
        var timing = quick
        timing.injection = injection
        timing.removal = .seconds(3)
        timing.forcedRemoval = .seconds(10)
        return timing
    }
}

/// Certificates for the tests, made once by openssl; they go with the test process.
struct TestCertificates: Sendable {
    private let folder: String

    static let shared = Result { try TestCertificates() }

    func path(_ name: String) -> String { "\(folder)/\(name)" }
    func text(_ name: String) throws -> String { try String(contentsOfFile: path(name), encoding: .utf8) }

    private init() throws {
        let url = FileManager.default.temporaryDirectory.appending(path: "cluster-tests-\(getpid())")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        folder = url.path
        atexit {
            if case .success(let made) = TestCertificates.shared {
                try? FileManager.default.removeItem(atPath: made.folder)
            }
        }
        for authority in ["ca", "other"] {
            try openssl(
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                "-subj", "/CN=\(authority)", "-keyout", path("\(authority).key"), "-out", path("\(authority).crt"))
        }
        try Data("subjectAltName=IP:127.0.0.1,DNS:kubernetes.test\n".utf8)
            .write(to: URL(fileURLWithPath: path("names")))
        for (name, subject) in [("server", "/CN=kube-apiserver"), ("client", "/CN=engineer")] {
            try openssl(
                "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", subject, "-keyout",
                path("\(name).key"), "-out", path("\(name).csr"))
            try openssl(
                "x509", "-req", "-in", path("\(name).csr"), "-CA", path("ca.crt"), "-CAkey", path("ca.key"),
                "-CAcreateserial", "-days", "2", "-extfile", path("names"), "-out", path("\(name).crt"))
        }
    }

    private func openssl(_ arguments: String...) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["openssl"] + arguments
        process.standardError = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw StandIn.Unusable(description: "openssl \(arguments[0]) failed: is openssl installed?")
        }
    }
}

/// Pods as the deployment makes them.
enum TestPods {
    static func pod(_ name: String, app: String, ready: Bool = true) -> JSONValue {
        .object([
            "apiVersion": .string("v1"), "kind": .string("Pod"),
            "metadata": .object([
                "name": .string(name), "labels": .object(["app": .string(app), "tier": .string("backend")]),
                "ownerReferences": .array([
                    .object([
                        "kind": .string("ReplicaSet"), "name": .string("\(app)-5d4f8c7b9"), "controller": .bool(true),
                    ])
                ]),
            ]),
            "spec": .object([
                "nodeName": .string("minikube"), "containers": .array([.object(["name": .string(app)])]),
            ]),
            "status": .object([
                "phase": .string("Running"), "podIP": .string("10.244.0.\(abs(name.hashValue) % 250 + 2)"),
                "conditions": .array([
                    .object(["type": .string("Ready"), "status": .string(ready ? "True" : "False")])
                ]),
                "containerStatuses": .array([
                    .object([
                        "name": .string(app), "ready": .bool(ready), "restartCount": .integer(0),
                        "containerID": .string("containerd://\(name)"),
                    ])
                ]),
            ]),
        ])
    }

    /// Payment calls the other two, as in the deployment.
    static let calls = [
        ServiceCall(caller: "payment-service", service: "inventory-service", port: 5003),
        ServiceCall(caller: "payment-service", service: "notification-service", port: 5004),
    ]

    /// Three, two and two, as in the deployment.
    static var all: [JSONValue] {
        ["a", "b", "c"].map { pod("payment-\($0)", app: "payment-service") }
            + ["a", "b"].map { pod("inventory-\($0)", app: "inventory-service") }
            + ["a", "b"].map { pod("notification-\($0)", app: "notification-service") }
    }
}
