import Foundation
import Shared

/// Where the API server is, and who we are there.
///
/// ```
///   in a pod:   KUBERNETES_SERVICE_HOST, the pod's token, CA and namespace  --.
///   elsewhere:  kubeconfig files merged --context--> cluster, user, namespace --+--> KubernetesAPI
/// ```
public struct ClusterAccess: Sendable {
    public enum Origin: Sendable, Equatable {
        case pod
        case kubeconfig(context: String)
    }

    /// `https://10.96.0.1:443`, without a slash at its end.
    public let server: String
    /// The one namespace in which anything is done.
    public let namespace: String
    public let origin: Origin
    /// The pod that this process runs in, by its name; nil elsewhere.
    var ownPod: String?
    /// `host:port` to connect to, where the server's certificate bears another name than that: then ``server`` is a
    /// URL with the certificate's name.
    var connectTo: String?
    var tls = HTTPClientTLS()
    var login = Login.nobody

    init(server: String, namespace: String, origin: Origin) {
        self.server = server
        self.namespace = namespace
        self.origin = origin
    }

    // MARK: In a pod

    /// Where the kubelet puts what a pod needs to use the API.
    private static let accountFolder = "/var/run/secrets/kubernetes.io/serviceaccount"

    /// With what every pod with a service account is given. The token is read anew for every request, for the kubelet
    /// replaces it about once an hour; the CA for every connection.
    ///
    /// - Parameters:
    ///   - environment: of this process.
    ///   - readFile: the text of a file, nil when there is none.
    /// - Throws: ``ClusterError`` of kind `badConfiguration` when this is no such pod.
    public static func inCluster(
        environment: [String: String],
        readFile: @escaping @Sendable (String) -> String? = { try? String(contentsOfFile: $0, encoding: .utf8) }
    ) throws(ClusterError) -> ClusterAccess {
        func missing(_ what: String) -> ClusterError {
            ClusterError(
                .badConfiguration, "this is no pod that may use the Kubernetes API: \(what)",
                remedy: "give the pod a service account and let its token be mounted, or use a kubeconfig")
        }
        guard let host = environment["KUBERNETES_SERVICE_HOST"], !host.isEmpty else {
            throw missing("KUBERNETES_SERVICE_HOST is not set")
        }
        guard let cluster = KubernetesEnvironment.detect(environment: environment, readFile: readFile) else {
            throw missing("\(accountFolder)/namespace is missing")
        }
        guard readFile("\(accountFolder)/ca.crt") != nil, readFile("\(accountFolder)/token") != nil else {
            throw missing("\(accountFolder) lacks ca.crt or token")
        }
        let port = environment["KUBERNETES_SERVICE_PORT"].flatMap { $0.isEmpty ? nil : $0 } ?? "443"
        var access = ClusterAccess(
            server: "https://\(host.contains(":") ? "[\(host)]" : host):\(port)", namespace: cluster.namespace,
            origin: .pod)
        access.tls.authorities = .file("\(accountFolder)/ca.crt")
        access.login = .tokenFile("\(accountFolder)/token", read: readFile)
        access.ownPod = environment["HOSTNAME"].flatMap { $0.isEmpty ? nil : $0 }
        return access
    }
}

/// How the API server is to know us, besides a client certificate.
enum Login: Sendable {
    case nobody
    case token(String)
    case tokenFile(String, read: @Sendable (String) -> String?)
    case password(user: String, password: String)
    case plugin(ExecPlugin)
}

/// A secret must not get into a log by being printed with what holds it.
extension Login: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    var description: String {
        switch self {
        case .nobody: "nobody"
        case .token: "by a token"
        case .tokenFile(let path, _): "by the token in \(path)"
        case .password(let user, _): "as \(user), by a password"
        case .plugin(let plugin): "by \(plugin.command)"
        }
    }

    var debugDescription: String { description }
    var customMirror: Mirror { Mirror(self, children: []) }
}
