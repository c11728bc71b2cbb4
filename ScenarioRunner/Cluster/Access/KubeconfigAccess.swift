import Foundation
import Shared

extension ClusterAccess {
    /// With a person's kubeconfig, as kubectl would.
    ///
    /// - Parameters:
    ///   - path: of one file; nil for those of `KUBECONFIG`, or `~/.kube/config`.
    ///   - context: nil for the file's current one.
    ///   - namespace: nil for the context's, or `default`.
    /// - Throws: ``ClusterError`` of kind `badConfiguration`, naming the file and the field.
    public static func kubeconfig(
        path: String? = nil, context: String? = nil, namespace: String? = nil, environment: [String: String]
    ) throws(ClusterError) -> ClusterAccess {
        let config = try MergedKubeconfig(files: path.map { [$0] } ?? files(environment))
        guard let name = context ?? config.currentContext else {
            throw ClusterError(
                .badConfiguration, "the kubeconfig has no current context", remedy: "name one with --context")
        }
        guard let chosen = config.contexts[name] else {
            let known = config.contexts.keys.sorted().joined(separator: ", ")
            throw ClusterError(
                .badConfiguration, "the kubeconfig has no context '\(name)'",
                remedy: known.isEmpty ? "it has none" : "it has \(known)")
        }
        guard let cluster = config.clusters[chosen.value.cluster] else {
            throw ClusterError(
                .badConfiguration,
                "\(chosen.file): context '\(name)' names a cluster that is not there: "
                    + chosen.value.cluster)
        }
        var access = try reach(
            cluster, namespace: namespace ?? chosen.value.namespace.flatMap { $0.isEmpty ? nil : $0 } ?? "default",
            context: name)
        if let user = chosen.value.user, !user.isEmpty {
            guard let source = config.users[user] else {
                throw ClusterError(
                    .badConfiguration, "\(chosen.file): context '\(name)' names a user that is not there: \(user)")
            }
            try access.logIn(as: source, cluster: cluster)
        }
        return access
    }

    private static func files(_ environment: [String: String]) -> [String] {
        let listed = (environment["KUBECONFIG"] ?? "").split(separator: ":").map(String.init)
        return listed.isEmpty ? ["\(environment["HOME"] ?? "/root")/.kube/config"] : listed
    }

    private static func reach(
        _ cluster: MergedKubeconfig.Source<Kubeconfig.Cluster>, namespace: String, context: String
    ) throws(ClusterError) -> ClusterAccess {
        let settings = cluster.value
        func refusal(_ field: String, _ reason: String, _ remedy: String? = nil) -> ClusterError {
            ClusterError(.badConfiguration, "\(cluster.file): \(field): \(reason)", remedy: remedy)
        }
        guard let server = settings.server, let url = URL(string: server), let host = url.host(percentEncoded: false),
            url.scheme == "https" || url.scheme == "http", url.query == nil, url.fragment == nil
        else { throw refusal("server", "'\(settings.server ?? "")' is no https URL") }
        if let proxy = settings.proxy, !proxy.isEmpty {
            throw refusal(
                "proxy-url", "connections through a proxy are not made here", "use a cluster reached directly")
        }
        var base = server
        while base.hasSuffix("/") { base.removeLast() }
        var connectTo: String?
        if let name = settings.serverName, !name.isEmpty, name != host {
            let bracketed = host.contains(":") ? "[\(host)]" : host
            let port = url.port ?? (url.scheme == "https" ? 443 : 80)
            connectTo = "\(bracketed):\(port)"
            base = "\(url.scheme ?? "https")://\(name):\(port)\(url.path().hasSuffix("/") ? "" : url.path())"
        }
        var access = ClusterAccess(server: base, namespace: namespace, origin: .kubeconfig(context: context))
        access.connectTo = connectTo
        access.tls.verifiesServer = !(settings.skipsVerification ?? false)
        access.tls.authorities = try cluster.pem(
            "certificate-authority", settings.certificateAuthority, settings.certificateAuthorityData)
        return access
    }

    private mutating func logIn(
        as user: MergedKubeconfig.Source<Kubeconfig.User>, cluster: MergedKubeconfig.Source<Kubeconfig.Cluster>
    ) throws(ClusterError) {
        let settings = user.value
        func refusal(_ field: String, _ reason: String, _ remedy: String) -> ClusterError {
            ClusterError(.badConfiguration, "\(user.file): \(field): \(reason)", remedy: remedy)
        }
        if let provider = settings.authProvider {
            throw refusal(
                "auth-provider", "'\(provider.name)' is of a kind that Kubernetes has given up",
                "use an exec plugin, a token or a client certificate")
        }
        let impersonation = [
            ("as", settings.impersonated?.isEmpty), ("as-groups", settings.impersonatedGroups?.isEmpty),
            ("as-uid", settings.impersonatedUID?.isEmpty), ("as-user-extra", settings.impersonatedExtra?.isEmpty),
        ]
        if let (field, _) = impersonation.first(where: { $0.1 == false }) {
            throw refusal(field, "nobody is impersonated here", "use a user of its own")
        }
        let certificate = try user.pem(
            "client-certificate", settings.clientCertificate, settings.clientCertificateData)
        let key = try user.pem("client-key", settings.clientKey, settings.clientKeyData)
        switch (certificate, key) {
        case (let certificate?, let key?): tls.identity = .init(certificate: certificate, key: key)
        case (nil, nil): break
        case (nil, _): throw refusal("client-key", "there is no client-certificate to it", "give both, or neither")
        case (_, nil): throw refusal("client-certificate", "there is no client-key to it", "give both, or neither")
        }
        if let file = settings.tokenFile, !file.isEmpty {
            login = .tokenFile(user.path(file)) { try? String(contentsOfFile: $0, encoding: .utf8) }
        } else if let token = settings.token, !token.isEmpty {
            login = .token(token)
        } else if let exec = settings.exec {
            login = .plugin(try ExecPlugin(exec, of: user, cluster: cluster))
        } else if let name = settings.username, !name.isEmpty {
            login = .password(user: name, password: settings.password ?? "")
        }
    }
}

extension MergedKubeconfig.Source {
    /// What is given as data, in base64, or as a file; data wins, as in client-go.
    func pem(_ field: String, _ path: String?, _ data: String?) throws(ClusterError) -> HTTPClientTLS.PEM? {
        if let data, !data.isEmpty {
            guard let bytes = Data(base64Encoded: data, options: .ignoreUnknownCharacters), !bytes.isEmpty else {
                throw ClusterError(.badConfiguration, "\(file): \(field)-data is not base64")
            }
            return .data(bytes)
        }
        guard let path, !path.isEmpty else { return nil }
        let full = self.path(path)
        guard FileManager.default.isReadableFile(atPath: full) else {
            throw ClusterError(.badConfiguration, "\(file): \(field): \(full) cannot be read")
        }
        return .file(full)
    }
}
