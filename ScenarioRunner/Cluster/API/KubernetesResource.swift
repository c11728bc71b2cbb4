import Shared

/// A kind of object, by its place in the API.
struct KubernetesResource: Sendable, Hashable {
    /// Empty for the core group.
    let group: String
    let version: String
    /// As in paths: `pods`.
    let plural: String

    static let pods = KubernetesResource(group: "", version: "v1", plural: "pods")

    /// `pods`, `networkchaos.chaos-mesh.org`, as kubectl names them.
    var name: String { group.isEmpty ? plural : "\(plural).\(group)" }

    /// `/api/v1/namespaces/payment-chaos/pods/payment-0`
    func path(namespace: String, name: String? = nil) -> String {
        let root = group.isEmpty ? "/api/\(version)" : "/apis/\(group)/\(version)"
        let collection = "\(root)/namespaces/\(URLEscape.pathSegment(namespace))/\(plural)"
        return name.map { "\(collection)/\(URLEscape.pathSegment($0))" } ?? collection
    }
}

extension ChaosKind {
    var resource: KubernetesResource {
        KubernetesResource(group: Self.group, version: Self.version, plural: plural)
    }
}

/// What every object says of itself.
struct ObjectMetadata: Decodable, Sendable, Equatable {
    let name: String
    var namespace: String?
    var uid: String?
    var resourceVersion: String?
    /// Of the spec: one more with each change of it.
    var generation: Int64?
    var labels: [String: String]?
    var annotations: [String: String]?
    var finalizers: [String]?
    var deletionTimestamp: String?
    var creationTimestamp: String?
    var ownerReferences: [Owner]?

    struct Owner: Decodable, Sendable, Equatable {
        let kind: String
        let name: String
        var controller: Bool?
    }
}

/// An object of a kind, as it is listed and watched.
protocol KubernetesObject: Decodable, Sendable {
    var metadata: ObjectMetadata { get }
}
