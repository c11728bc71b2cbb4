import ArgumentParser
import Cluster
import Foundation

/// Which cluster, as kubectl takes it.
struct KubeconfigOptions: ParsableArguments {
    @Option(help: "A kubeconfig file. Default: KUBECONFIG, or ~/.kube/config.")
    var kubeconfig: String?

    @Option(help: "A context of the kubeconfig. Default: its current one.")
    var context: String?

    @Option(help: "The namespace of the system. Default: \(RunnerAddress.namespace).")
    var namespace: String?

    /// Whether a cluster is meant: one is named, this is a pod, or kubectl would find one.
    func meansCluster(environment: [String: String]) -> Bool {
        if isNamed || KubernetesEnvironment.detect(environment: environment) != nil { return true }
        if let files = environment["KUBECONFIG"], !files.isEmpty { return true }
        return environment["HOME"].map { FileManager.default.fileExists(atPath: "\($0)/.kube/config") } ?? false
    }

    private var isNamed: Bool { kubeconfig != nil || context != nil || namespace != nil }

    /// The pod's own account where nothing else is said and this is a pod; else a kubeconfig.
    ///
    /// - Throws: ``ClusterError`` when there is no way to a cluster.
    func access(environment: [String: String]) throws(ClusterError) -> ClusterAccess {
        if !isNamed, KubernetesEnvironment.detect(environment: environment) != nil {
            return try .inCluster(environment: environment)
        }
        return try .kubeconfig(
            path: kubeconfig, context: context, namespace: namespace ?? RunnerAddress.namespace,
            environment: environment)
    }
}
