import Foundation
import HTTPTypes
import Shared

/// What the cluster is, and what we may do in it.
extension KubernetesAPI {
    struct Version: Decodable, Sendable {
        let gitVersion: String
    }

    private struct Review: Decodable {
        struct Status: Decodable { let allowed: Bool }
        let status: Status
    }

    private struct Anything: Decodable {}

    /// `v1.34.0`.
    func version() async throws -> String {
        let version: Version = try await ask(
            Question(path: "/version", call: KubernetesCall(verb: "get", resource: "version", namespace: nil)))
        return version.gitVersion
    }

    /// Whether the kind is known and may be listed.
    ///
    /// - Throws: ``ClusterError``, `chaosMeshMissing` when it is not known.
    func probe(_ resource: KubernetesResource) async throws {
        let _: Anything = try await ask(
            Question(
                path: resource.path(namespace: access.namespace), query: [("limit", "1")],
                call: KubernetesCall(verb: "list", resource: resource.name, namespace: access.namespace)))
    }

    /// Asks the API server itself (SelfSubjectAccessReview), which every account may.
    ///
    /// - Parameter namespace: nil for the access's; empty for the whole cluster.
    func isAllowed(_ permission: KubernetesPermission, namespace: String? = nil) async throws -> Bool {
        let attributes: [String: JSONValue] = [
            "namespace": .string(namespace ?? access.namespace), "verb": .string(permission.verb),
            "group": .string(permission.group), "resource": .string(permission.resource),
        ]
        let review: Review = try await ask(
            Question(
                method: .post, path: "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
                body: .object([
                    "apiVersion": .string("authorization.k8s.io/v1"), "kind": .string("SelfSubjectAccessReview"),
                    "spec": .object(["resourceAttributes": .object(attributes)]),
                ]),
                call: KubernetesCall(
                    verb: "create", resource: "selfsubjectaccessreviews.authorization.k8s.io", namespace: nil)))
        return review.status.allowed
    }
}
