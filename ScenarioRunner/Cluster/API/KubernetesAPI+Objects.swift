import Foundation
import HTTPTypes
import Shared

/// Get, list, create, patch and delete, in the namespace of the access and nowhere else.
extension KubernetesAPI {
    private func call(_ verb: String, _ resource: KubernetesResource) -> KubernetesCall {
        KubernetesCall(verb: verb, resource: resource.name, namespace: access.namespace)
    }

    func get<Object: KubernetesObject>(
        _ resource: KubernetesResource, _ name: String, as type: Object.Type = Object.self
    ) async throws -> Object {
        try await ask(
            Question(
                path: resource.path(namespace: access.namespace, name: name), call: call("get", resource)))
    }

    func create<Object: KubernetesObject>(
        _ resource: KubernetesResource, _ object: JSONValue, as type: Object.Type = Object.self
    ) async throws -> Object {
        try await ask(
            Question(
                method: .post, path: resource.path(namespace: access.namespace), body: object,
                call: call("create", resource)))
    }

    /// Changes some fields (RFC 7396); null takes one away.
    @discardableResult
    func patch<Object: KubernetesObject>(
        _ resource: KubernetesResource, _ name: String, _ changes: JSONValue, as type: Object.Type = Object.self
    ) async throws -> Object {
        try await ask(
            Question(
                method: .patch, path: resource.path(namespace: access.namespace, name: name), body: changes,
                contentType: "application/merge-patch+json", call: call("patch", resource)))
    }

    /// Asks for the object to be deleted; it is there until its finalizers are done.
    ///
    /// - Parameters:
    ///   - uid: of the very object, so that one made anew under the same name stays.
    ///   - resourceVersion: of the object as it was seen: one changed since stays (``ClusterError`` of kind `conflict`).
    ///   - isForeground: it also stays until what it owns is gone.
    func delete(
        _ resource: KubernetesResource, _ name: String, uid: String?, resourceVersion: String? = nil,
        isForeground: Bool = false
    ) async throws {
        var preconditions: [String: JSONValue] = [:]
        if let uid { preconditions["uid"] = .string(uid) }
        if let resourceVersion { preconditions["resourceVersion"] = .string(resourceVersion) }
        var options: [String: JSONValue] = [
            "apiVersion": .string("v1"), "kind": .string("DeleteOptions"),
            "propagationPolicy": .string(isForeground ? "Foreground" : "Background"),
        ]
        if !preconditions.isEmpty { options["preconditions"] = .object(preconditions) }
        try await send(
            Question(
                method: .delete, path: resource.path(namespace: access.namespace, name: name), body: .object(options),
                call: call("delete", resource)))
    }

    /// One moment's objects, and from where to watch on.
    struct Listing<Object: KubernetesObject>: Sendable {
        let items: [Object]
        let resourceVersion: String
    }

    private struct Page<Object: KubernetesObject>: Decodable {
        struct Metadata: Decodable {
            var resourceVersion: String?
            var `continue`: String?
        }

        let metadata: Metadata
        let items: [Object]?
    }

    /// Objects that are asked for at a time, and altogether.
    private static let pageItems = 250
    private static let maximumItems = 20_000

    /// All objects of the kind, page by page. A listing whose next page has become too old begins anew, once.
    func list<Object: KubernetesObject>(
        _ resource: KubernetesResource, labels: String? = nil, as type: Object.Type = Object.self
    ) async throws -> Listing<Object> {
        do {
            return try await listOnce(resource, labels: labels)
        } catch let error as ClusterError where error.kind == .gone {
            return try await listOnce(resource, labels: labels)
        }
    }

    private func listOnce<Object: KubernetesObject>(
        _ resource: KubernetesResource, labels: String?
    ) async throws -> Listing<Object> {
        var items: [Object] = []
        var next: String?
        let call = call("list", resource)
        while true {
            var query = [("limit", String(Self.pageItems))]
            if let labels { query.append(("labelSelector", labels)) }
            if let next { query.append(("continue", next)) }
            let page: Page<Object> = try await ask(
                Question(path: resource.path(namespace: access.namespace), query: query, call: call))
            items += page.items ?? []
            guard items.count <= Self.maximumItems else {
                throw call.brokenAnswer("more than \(Self.maximumItems) objects")
            }
            guard let more = page.metadata.continue, !more.isEmpty else {
                return Listing(items: items, resourceVersion: page.metadata.resourceVersion ?? "")
            }
            next = more
        }
    }
}
