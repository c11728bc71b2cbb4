import Experiments
import Foundation
import Shared
import Yams

/// A kubeconfig file (`k8s.io/client-go/tools/clientcmd/api/v1`), as far as it says how to reach a cluster.
struct Kubeconfig: Decodable {
    struct Named<Value: Decodable>: Decodable {
        let name: String
        var value: Value

        private struct Key: CodingKey {
            let stringValue: String
            var intValue: Int? { nil }
            init(stringValue: String) { self.stringValue = stringValue }
            init?(intValue: Int) { nil }
        }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: Key.self)
            name = try container.decode(String.self, forKey: Key(stringValue: "name"))
            // `cluster`, `user` or `context`: the one other key.
            guard let key = container.allKeys.first(where: { $0.stringValue != "name" }) else {
                throw DecodingError.dataCorrupted(
                    .init(codingPath: container.codingPath, debugDescription: "'\(name)' says nothing but its name"))
            }
            value = try container.decode(Value.self, forKey: key)
        }
    }

    struct Cluster: Decodable {
        var server: String?
        var certificateAuthority: String?
        var certificateAuthorityData: String?
        var skipsVerification: Bool?
        var serverName: String?
        var proxy: String?
        /// What the entry keeps for the plugin that logs in, which may be of any shape.
        var pluginSettings: JSONValue?

        enum CodingKeys: String, CodingKey {
            case server
            case certificateAuthority = "certificate-authority"
            case certificateAuthorityData = "certificate-authority-data"
            case skipsVerification = "insecure-skip-tls-verify"
            case serverName = "tls-server-name"
            case proxy = "proxy-url"
        }
    }

    struct User: Decodable {
        var clientCertificate: String?
        var clientCertificateData: String?
        var clientKey: String?
        var clientKeyData: String?
        var token: String?
        var tokenFile: String?
        var username: String?
        var password: String?
        var exec: ExecPlugin.Settings?
        /// Only its name is looked at, for the refusal.
        var authProvider: AuthProvider?
        var impersonated: String?
        var impersonatedGroups: [String]?
        var impersonatedUID: String?
        var impersonatedExtra: [String: [String]]?

        enum CodingKeys: String, CodingKey {
            case token, tokenFile, username, password, exec
            case clientCertificate = "client-certificate"
            case clientCertificateData = "client-certificate-data"
            case clientKey = "client-key"
            case clientKeyData = "client-key-data"
            case authProvider = "auth-provider"
            case impersonated = "as"
            case impersonatedGroups = "as-groups"
            case impersonatedUID = "as-uid"
            case impersonatedExtra = "as-user-extra"
        }
    }

    struct AuthProvider: Decodable {
        let name: String
    }

    struct Context: Decodable {
        let cluster: String
        let user: String?
        let namespace: String?
    }

    var clusters: [Named<Cluster>]?
    var users: [Named<User>]?
    var contexts: [Named<Context>]?
    var currentContext: String?

    enum CodingKeys: String, CodingKey {
        case clusters, users, contexts
        case currentContext = "current-context"
    }

    /// Reads what the decoder would take for something else: a text in quotes that looks like a number stays one.
    fileprivate mutating func readPluginSettings(_ document: Node?) {
        for (index, entry) in (document?["clusters"]?.array() ?? []).enumerated() {
            let extensions = entry["cluster"]?["extensions"]?.array() ?? []
            let own = extensions.first { $0["name"]?.string == ExecPlugin.extensionName }?["extension"]
            if let own { clusters?[index].value.pluginSettings = JSONValue(ManifestTree(own)) }
        }
    }
}

/// Several kubeconfig files read as one: the first that says something wins, as in client-go.
struct MergedKubeconfig {
    /// With the folder that relative paths in it are relative to.
    struct Source<Value> {
        let value: Value
        let folder: String
        let file: String
    }

    private(set) var clusters: [String: Source<Kubeconfig.Cluster>] = [:]
    private(set) var users: [String: Source<Kubeconfig.User>] = [:]
    private(set) var contexts: [String: Source<Kubeconfig.Context>] = [:]
    private(set) var currentContext: String?

    /// More is no kubeconfig.
    private static let maximumBytes = 4 * 1024 * 1024

    /// - Parameter files: those that do not exist are passed over, but for an only one.
    /// - Throws: ``ClusterError`` naming the file.
    init(files: [String]) throws(ClusterError) {
        var found = false
        for file in files {
            guard let data = FileManager.default.contents(atPath: file) else { continue }
            found = true
            merge(try Self.parse(data, file: file), file: file)
        }
        guard found else {
            throw ClusterError(
                .badConfiguration, "no kubeconfig: \(files.joined(separator: ", ")) cannot be read",
                remedy: "name one with --kubeconfig or KUBECONFIG")
        }
    }

    private static func parse(_ data: Data, file: String) throws(ClusterError) -> Kubeconfig {
        guard data.count <= maximumBytes else {
            throw ClusterError(.badConfiguration, "\(file) is larger than 4 MiB: no kubeconfig")
        }
        // An empty file is an empty kubeconfig.
        if data.allSatisfy({ $0 == 0x20 || $0 == 0x0A || $0 == 0x0D }) { return Kubeconfig() }
        do {
            var config = try YAMLDecoder().decode(Kubeconfig.self, from: data)
            config.readPluginSettings(try Yams.compose(yaml: String(decoding: data, as: UTF8.self)))
            return config
        } catch let DecodingError.dataCorrupted(context), let DecodingError.keyNotFound(_, context),
            let DecodingError.typeMismatch(_, context), let DecodingError.valueNotFound(_, context)
        {
            let place = context.codingPath.map(\.stringValue).joined(separator: ".")
            throw ClusterError(
                .badConfiguration,
                "\(file) is no kubeconfig: \(place.isEmpty ? "" : "\(place): ")"
                    + context.debugDescription.prefix(200))
        } catch {
            throw ClusterError(.badConfiguration, "\(file) is no kubeconfig: it is not valid YAML")
        }
    }

    private mutating func merge(_ config: Kubeconfig, file: String) {
        let folder = URL(fileURLWithPath: file).deletingLastPathComponent().path
        func source<Value>(_ value: Value) -> Source<Value> { Source(value: value, folder: folder, file: file) }
        for named in config.clusters ?? [] where clusters[named.name] == nil {
            clusters[named.name] = source(named.value)
        }
        for named in config.users ?? [] where users[named.name] == nil { users[named.name] = source(named.value) }
        for named in config.contexts ?? [] where contexts[named.name] == nil {
            contexts[named.name] = source(named.value)
        }
        if currentContext == nil, let name = config.currentContext, !name.isEmpty { currentContext = name }
    }
}

extension MergedKubeconfig.Source {
    /// A path in the file, as the file means it.
    func path(_ text: String) -> String { text.hasPrefix("/") ? text : "\(folder)/\(text)" }
}
