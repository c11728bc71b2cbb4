import Foundation

/// Whether this process runs in a pod, and where.
public struct KubernetesEnvironment: Sendable, Equatable {
    /// Where the kubelet puts the pod's own credentials.
    static let namespaceFile = "/var/run/secrets/kubernetes.io/serviceaccount/namespace"

    /// The pod's namespace.
    public let namespace: String

    /// Looks for what Kubernetes gives every pod with a service account: the API server's address in the environment
    /// and the namespace in a file. One without the other is not a pod that could use the API.
    ///
    /// - Parameters:
    ///   - environment: of this process.
    ///   - readFile: the text of a file, nil when there is none.
    /// - Returns: nil outside of a cluster.
    public static func detect(
        environment: [String: String],
        readFile: (String) -> String? = { try? String(contentsOfFile: $0, encoding: .utf8) }
    ) -> KubernetesEnvironment? {
        guard let host = environment["KUBERNETES_SERVICE_HOST"], !host.isEmpty,
            let namespace = readFile(namespaceFile)?.trimmingCharacters(in: .whitespacesAndNewlines),
            !namespace.isEmpty
        else { return nil }
        return KubernetesEnvironment(namespace: namespace)
    }
}
