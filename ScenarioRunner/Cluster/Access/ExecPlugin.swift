import Experiments
import Foundation
import Shared
import Subprocess
import SystemPackage

/// A program that tells who we are (`client.authentication.k8s.io`, v1 and v1beta1), as cloud providers have them.
struct ExecPlugin: Sendable {
    struct Settings: Decodable {
        struct Variable: Decodable {
            let name: String
            let value: String
        }

        let apiVersion: String
        let command: String
        let args: [String]?
        let env: [Variable]?
        let installHint: String?
        let interactiveMode: String?
        let provideClusterInfo: Bool?
    }

    /// The extension of a cluster's entry that is for the plugins.
    static let extensionName = "client.authentication.k8s.io/exec"
    static let versions = ["client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"]

    let version: String
    let command: String
    let arguments: [String]
    let environment: [String: String]
    let installHint: String?
    /// What the program is told, as JSON.
    let question: String
    var timeout = Duration.seconds(30)

    /// - Throws: ``ClusterError`` for a version or a way of asking that is not known here.
    init(
        _ settings: Settings, of user: MergedKubeconfig.Source<Kubeconfig.User>,
        cluster: MergedKubeconfig.Source<Kubeconfig.Cluster>
    ) throws(ClusterError) {
        guard Self.versions.contains(settings.apiVersion) else {
            throw ClusterError(
                .badConfiguration, "\(user.file): exec.apiVersion: '\(settings.apiVersion)' is not known",
                remedy: "use \(Self.versions[0])")
        }
        guard settings.interactiveMode != "Always" else {
            throw ClusterError(
                .badConfiguration, "\(user.file): exec.interactiveMode: nobody is there to be asked",
                remedy: "use a plugin that needs no terminal")
        }
        version = settings.apiVersion
        // A bare name is looked up in PATH.
        command = settings.command.contains("/") ? user.path(settings.command) : settings.command
        arguments = settings.args ?? []
        environment = Dictionary((settings.env ?? []).map { ($0.name, $0.value) }) { $1 }
        installHint = settings.installHint
        question = Self.question(
            version: settings.apiVersion, cluster: settings.provideClusterInfo == true ? try Self.facts(cluster) : nil)
    }

    /// What it says, until it is no longer so.
    struct Answer: Sendable, Equatable {
        let token: String?
        let identity: HTTPClientTLS.Identity?
        let expires: UnixTime?
    }

    private struct Document: Decodable {
        struct Status: Decodable {
            let token: String?
            let clientCertificateData: String?
            let clientKeyData: String?
            let expirationTimestamp: String?
        }

        let apiVersion: String
        let kind: String
        let status: Status?
    }

    /// Runs the program.
    ///
    /// - Throws: ``ClusterError`` when it is missing, fails, says nothing of use or takes too long; `CancellationError`.
    func ask() async throws -> Answer {
        let output = try await run()
        guard let document = try? JSONDecoder().decode(Document.self, from: output),
            document.kind == "ExecCredential", let status = document.status
        else { throw failure("did not write an ExecCredential with a status") }
        guard document.apiVersion == version else {
            throw failure("wrote \(document.apiVersion) where the kubeconfig says \(version)")
        }
        var identity: HTTPClientTLS.Identity?
        if let certificate = status.clientCertificateData, let key = status.clientKeyData {
            identity = .init(certificate: .data(Data(certificate.utf8)), key: .data(Data(key.utf8)))
        }
        let token = status.token.flatMap { $0.isEmpty ? nil : $0 }
        guard token != nil || identity != nil else { throw failure("gave neither a token nor a certificate") }
        return Answer(
            token: token, identity: identity, expires: status.expirationTimestamp.flatMap(KubernetesTime.parse))
    }

    private func failure(_ what: String, remedy: String? = nil) -> ClusterError {
        ClusterError(.unauthorized, "the kubeconfig's plugin \(command) \(what)", remedy: remedy)
    }

    private func run() async throws -> Data {
        let ended = try await withThrowingTaskGroup(of: Data?.self) { group in
            group.addTask { try await collect() }
            group.addTask {
                try await Task.sleep(for: timeout)
                return nil
            }
            // The loser is cancelled, and for the program that means killed, before the group ends.
            defer { group.cancelAll() }
            return try await group.next() ?? nil
        }
        try Task.checkCancellation()
        guard let ended else {
            throw failure("has not answered within \(GoDuration.text(timeout))", remedy: "run it by hand")
        }
        return ended
    }

    /// In a session of its own: what it starts is killed with it, and would else hold its output open.
    private static var options: PlatformOptions {
        var options = PlatformOptions()
        options.createSession = true
        options.teardownSequence = [
            .send(signal: .terminate, toProcessGroup: true, allowedDurationToNextStep: .milliseconds(200))
        ]
        return options
    }

    private func collect() async throws -> Data {
        var variables: [Environment.Key: String?] = ["KUBERNETES_EXEC_INFO": question]
        for (name, value) in environment {
            if let key = Environment.Key(rawValue: name) { variables[key] = value }
        }
        do {
            let result = try await Subprocess.run(
                command.contains("/") ? .path(FilePath(command)) : .name(command), arguments: Arguments(arguments),
                environment: .inherit.updating(variables), platformOptions: Self.options, input: .none,
                output: .data(limit: 1 << 20),
                error: .string(limit: 1 << 16))
            guard case .exited(0) = result.terminationStatus else {
                let said = result.standardError.split(separator: "\n").last.map { ": \($0.prefix(300))" } ?? ""
                throw failure("failed\(said)", remedy: "run it by hand")
            }
            return result.standardOutput
        } catch is SubprocessError {
            try Task.checkCancellation()
            throw failure("cannot be started", remedy: installHint ?? "install it")
        }
    }

    /// How to reach the cluster (`client.authentication.k8s.io`, `Cluster`); the CA always as data.
    private static func facts(
        _ cluster: MergedKubeconfig.Source<Kubeconfig.Cluster>
    ) throws(ClusterError) -> JSONValue {
        let settings = cluster.value
        var facts: [String: JSONValue] = ["server": .string(settings.server ?? "")]
        facts["tls-server-name"] = settings.serverName.map { .string($0) }
        facts["insecure-skip-tls-verify"] = settings.skipsVerification.map { .bool($0) }
        facts["config"] = settings.pluginSettings
        let field = "certificate-authority"
        let authority = try cluster.pem(field, settings.certificateAuthority, settings.certificateAuthorityData)
        switch authority {
        case .data(let data)?: facts["\(field)-data"] = .string(data.base64EncodedString())
        case .file(let path)?:
            guard let data = FileManager.default.contents(atPath: path) else {
                throw ClusterError(.badConfiguration, "\(cluster.file): \(field): \(path) cannot be read")
            }
            facts["\(field)-data"] = .string(data.base64EncodedString())
        case nil: break
        }
        return .object(facts)
    }

    private static func question(version: String, cluster: JSONValue?) -> String {
        var spec: [String: JSONValue] = ["interactive": .bool(false)]
        spec["cluster"] = cluster
        let document = JSONValue.object([
            "apiVersion": .string(version), "kind": .string("ExecCredential"), "spec": .object(spec),
        ])
        return (try? JSONEncoder().encode(document)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    }
}
