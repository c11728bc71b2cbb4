import Foundation
import HTTPTypes
import Shared
import Subprocess
import SystemPackage
import Testing

/// An API server with Chaos Mesh's controller behind it, as far as the runner meets them: real TLS, tokens, watches.
///
/// ```
///   test --control (plain HTTP)--> apiserver.py <--TLS, kubeconfig-- scenario-runner serve
/// ```
struct APIServerStandIn: Sendable {
    /// For `--kubeconfig`.
    let kubeconfig: String
    private let control: String
    private let client: HTTPClient

    private struct Ports: Decodable {
        let port: Int
        let control: Int
    }

    /// Starts one, runs `body` with it, and ends it.
    ///
    /// - Parameter folder: for certificates and the kubeconfig.
    static func withOne(in folder: URL, _ body: @Sendable @escaping (APIServerStandIn) async throws -> Void)
        async throws
    {
        try await makeCertificates(in: folder)
        func path(_ name: String) -> String { folder.appendingPathComponent(name).path }
        let settings: JSONValue = .object([
            "certificate": .string(path("server.crt")), "key": .string(path("server.key")),
            "clientAuthorities": .string(path("ca.crt")),
        ])
        let program = LabProcess.repository.appendingPathComponent("Tests/Cluster/stand-in/apiserver.py").path
        let result = try await Subprocess.run(
            .name("python3"), arguments: ["-B", program], input: .inputWriter, output: .sequence, error: .discarded
        ) { execution in
            let line = try JSONEncoder().encode(settings) + Data("\n".utf8)
            _ = try await execution.standardInputWriter.write(Array(line))
            var lines = execution.standardOutput.strings().makeAsyncIterator()
            let first = try #require(try await lines.next())
            let ports = try JSONDecoder().decode(Ports.self, from: Data(first.utf8))
            let kubeconfig = path("kubeconfig")
            try Data(Self.kubeconfig(port: ports.port).utf8).write(to: URL(fileURLWithPath: kubeconfig))
            let client = HTTPClient()
            let standIn = APIServerStandIn(
                kubeconfig: kubeconfig, control: "http://127.0.0.1:\(ports.control)", client: client)
            let outcome: Result<Void, any Error>
            do { outcome = .success(try await body(standIn)) } catch { outcome = .failure(error) }
            await client.shutdown()
            try await execution.standardInputWriter.finish()
            return outcome
        }
        try result.closureResult.get()
    }

    /// An authority of the test's own, and what it vouches for: the server on 127.0.0.1.
    private static func makeCertificates(in folder: URL) async throws {
        let script = """
            openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=authority \
              -keyout ca.key -out ca.crt
            openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=server \
              -keyout server.key -out server.csr
            printf 'subjectAltName=IP:127.0.0.1\\n' > server.ext
            openssl x509 -req -days 2 -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -extfile server.ext \
              -out server.crt
            """
        let result = try await Subprocess.run(
            .name("sh"), arguments: ["-ec", script], workingDirectory: FilePath(folder.path), input: .none,
            output: .discarded, error: .string(limit: 64 * 1024))
        try #require(result.terminationStatus.isSuccess, "\(result.standardError)")
    }

    private static func kubeconfig(port: Int) -> String {
        """
        apiVersion: v1
        kind: Config
        current-context: test
        contexts:
        - name: test
          context: {cluster: test, user: test, namespace: payment-chaos}
        clusters:
        - name: test
          cluster: {server: "https://127.0.0.1:\(port)", certificate-authority: ca.crt}
        users:
        - name: test
          user: {token: good}

        """
    }

    // MARK: What the test says and sees

    /// Pods that run and are ready, one for each service of these names: `payment-service-0`.
    func put(pods: [(name: String, service: String)]) async throws {
        let documents = pods.map { pod in
            JSONValue.object([
                "metadata": .object([
                    "name": .string(pod.name),
                    "labels": .object(["app": .string(pod.service)]),
                ]),
                "spec": .object([
                    "nodeName": .string("node"), "containers": .array([.object(["name": .string(pod.service)])]),
                ]),
                "status": .object([
                    "phase": .string("Running"), "podIP": .string("10.244.0.9"),
                    "conditions": .array([.object(["type": .string("Ready"), "status": .string("True")])]),
                    "containerStatuses": .array([
                        .object([
                            "name": .string(pod.service), "ready": .bool(true), "restartCount": .integer(0),
                            "containerID": .string("containerd://1"),
                        ])
                    ]),
                ]),
            ])
        }
        try await call(.put, "/pods", .array(documents))
    }

    /// How it behaves from now on: `crds`, `denied`, `mode` and others of `apiserver.py` and `controller.py`.
    func set(_ settings: [String: JSONValue]) async throws { try await call(.put, "/settings", .object(settings)) }

    /// Ends a pod.
    func delete(pod name: String) async throws {
        try await call(.put, "/delete", .object(["resource": .string("pods"), "name": .string(name)]))
    }

    /// The objects of Chaos Mesh that there are, but for those that it keeps for each pod.
    func chaos() async throws -> [JSONValue] {
        guard case .array(let all) = try await call(.get, "/objects") else { return [] }
        let kindsOfRules = ["PodNetworkChaos", "PodIOChaos", "PodHttpChaos"]
        return all.filter { object in
            object["kind"]?.text.map { $0.hasSuffix("Chaos") && !kindsOfRules.contains($0) } ?? false
        }
    }

    @discardableResult
    private func call(_ method: HTTPRequest.Method, _ path: String, _ body: JSONValue? = nil) async throws -> JSONValue
    {
        let response = try await client.execute(
            HTTPClientRequest(
                method: method, url: control + path, body: try body.map { try JSONEncoder().encode($0) },
                timeout: .seconds(10), maxResponseBytes: 4 * 1024 * 1024))
        return try response.decode(JSONValue.self)
    }
}
