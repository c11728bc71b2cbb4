import Foundation
import HTTPTypes
import Shared

/// What the API server says when it does not do what was asked (`meta/v1`, `Status`).
struct KubernetesStatus: Decodable, Sendable, Equatable {
    struct Details: Decodable, Sendable, Equatable {
        var name: String?
        var kind: String?
        var retryAfterSeconds: Int?
    }

    var message: String?
    var reason: String?
    var code: Int?
    var details: Details?
}

/// One call, as its errors name it.
struct KubernetesCall: Sendable {
    /// As RBAC names it: `create`, `list`.
    let verb: String
    /// `networkchaos.chaos-mesh.org`; `version` and the like for what is no resource.
    let resource: String
    let namespace: String?

    var text: String { "\(verb) \(resource)" + (namespace.map { " in the namespace \($0)" } ?? "") }
    private var isChaos: Bool { resource.hasSuffix(".\(ChaosKind.group)") }

    // MARK: Errors

    /// What an answer with a status that is none of success means.
    func error(code: Int, body: Data, headers: HTTPFields) -> ClusterError {
        let status = try? JSONDecoder().decode(KubernetesStatus.self, from: body)
        return error(code: code, status, retryAfter: Self.retryAfter(headers, status))
    }

    /// What a `Status` in place of an event means.
    func error(_ status: KubernetesStatus) -> ClusterError {
        error(code: status.code ?? 500, status, retryAfter: status.details?.retryAfterSeconds.map { .seconds($0) })
    }

    private func error(code: Int, _ status: KubernetesStatus?, retryAfter: Duration?) -> ClusterError {
        let said = Self.shortened(status?.message)
        if let webhook = webhookError(code, said) { return webhook }
        switch code {
        case 401:
            return ClusterError(
                .unauthorized, "the API server does not know who we are (401), asked to \(text)",
                remedy: "the token or certificate may have run out: log in anew, or restart the pod")
        case 403: return forbidden(said)
        case 404: return missing(status, said)
        case 409: return ClusterError(.conflict, "conflict, asked to \(text)\(said)")
        case 410: return ClusterError(.gone, "what was asked for is too old (410), asked to \(text)\(said)")
        case 400, 405, 413, 415, 422:
            return ClusterError(.invalid, "the API server refuses the request (\(code)), asked to \(text)\(said)")
        case 429:
            return ClusterError(
                .throttled, "the API server is too busy (429), asked to \(text)\(said)",
                remedy: "try again later", retryAfter: retryAfter)
        default:
            return ClusterError(
                .serverError, "the API server failed (\(code)), asked to \(text)\(said)", retryAfter: retryAfter)
        }
    }

    func forbidden(_ said: String) -> ClusterError {
        // Quotas, and namespaces that are being deleted, refuse with the same status; RBAC says who cannot what.
        guard said.isEmpty || said.contains(" cannot ") else {
            return ClusterError(.forbidden, "the API server does not let us \(text)\(said)")
        }
        let permission = "\(verb) \(resource)"
        return ClusterError(
            .forbidden, "RBAC does not allow us to \(text)\(said)",
            remedy: "bind a Role with '\(permission)'"
                + (namespace.map { " in \($0)" } ?? "") + " to our account; ours is part of k8s/deployment.yaml")
    }

    /// A group that the server does not know answers in plain text; a missing object with its name.
    private func missing(_ status: KubernetesStatus?, _ said: String) -> ClusterError {
        if status?.details?.kind == "namespaces" {
            let name = namespace ?? ""
            return ClusterError(
                .notFound, "there is no namespace \(name)", remedy: "create it: kubectl create namespace \(name)")
        }
        guard isChaos, status?.details?.name == nil else {
            return ClusterError(.notFound, "not found (404), asked to \(text)\(said)")
        }
        return ClusterError(
            .chaosMeshMissing,
            "this cluster knows no \(resource): Chaos Mesh is not installed, or its CRDs are missing",
            remedy: "install it with Helm, in a namespace of its own: helm install chaos-mesh "
                + "chaos-mesh/chaos-mesh -n chaos-mesh --create-namespace (see README)")
    }

    /// What Chaos Mesh's admission webhooks said, or that they did not.
    private func webhookError(_ code: Int, _ said: String) -> ClusterError? {
        if said.contains("failed calling webhook") || said.contains("no endpoints available for service") {
            return ClusterError(
                .webhookSilent, "Chaos Mesh's admission webhook does not answer\(said)",
                remedy: "look at its controller: kubectl -n chaos-mesh get pods -l "
                    + "app.kubernetes.io/component=controller-manager")
        }
        guard code == 400 || code == 403 || code == 422, said.contains("admission webhook") else { return nil }
        // Of its own RBAC check: "USER is forbidden on namespace NS".
        guard !said.contains("is forbidden on") else {
            return ClusterError(
                .forbidden, "Chaos Mesh does not let us \(text)\(said)",
                remedy: "our account needs 'create' on this kind in every namespace that the selectors name")
        }
        return ClusterError(.invalid, "Chaos Mesh refuses the object, asked to \(text)\(said)")
    }

    /// Why no answer came at all.
    func error(_ error: HTTPClientError, server: String, timeout: Duration) -> ClusterError {
        switch error {
        case .timedOut:
            ClusterError(
                .timedOut,
                "the API server has not answered within \(Int(timeout.seconds.rounded(.up))) s, asked to \(text)",
                remedy: "see whether \(server) is up and reachable from here")
        case .connectFailed, .connectionLost, .invalidURL, .closed:
            ClusterError(
                .unreachable, "the API server cannot be reached at \(server) (\(error)), asked to \(text)",
                remedy: "see whether the cluster is up, and whether the address is right; no proxy is used")
        case .untrustedServer:
            ClusterError(
                .untrusted, "the certificate of \(server) is not signed by the cluster's CA, or bears another name",
                remedy: "see certificate-authority and tls-server-name in the kubeconfig")
        case .unusableCertificate:
            ClusterError(
                .badConfiguration, "the client's certificate, its key or the CA cannot be read or used",
                remedy: "see the certificates in the kubeconfig")
        case .malformedResponse, .responseTooLarge:
            ClusterError(
                .brokenAnswer,
                "what answers at \(server) is no API server, or its answer is broken (\(error)), "
                    + "asked to \(text)")
        }
    }

    /// The body is not what it should be.
    func brokenAnswer(_ what: String = "its JSON cannot be read") -> ClusterError {
        ClusterError(.brokenAnswer, "the API server's answer is broken (\(what)), asked to \(text)")
    }

    /// `: forbidden: User ...`; empty when nothing was said.
    private static func shortened(_ message: String?) -> String {
        guard let message, !message.isEmpty else { return "" }
        let line = message.split(whereSeparator: \.isNewline).joined(separator: " ")
        return ": \(line.count > 500 ? "\(line.prefix(500))..." : line)"
    }

    private static func retryAfter(_ headers: HTTPFields, _ status: KubernetesStatus?) -> Duration? {
        let seconds = headers[.retryAfter].flatMap { Int($0) } ?? status?.details?.retryAfterSeconds
        return seconds.map { .seconds(max(0, $0)) }
    }
}
