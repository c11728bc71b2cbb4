import Experiments

/// What went wrong with the cluster, and what to do about it.
///
/// Everything that this module throws is one of these, a ``Refusal`` of the manifest, or `CancellationError`. The texts
/// name no token, and may be shown to users.
public struct ClusterError: Error, Sendable, Equatable {
    public enum Kind: String, Sendable, CaseIterable {
        // The way to the API server, and who we are there.
        case badConfiguration, unreachable, untrusted, timedOut, throttled, unauthorized, forbidden, brokenAnswer
        case serverError
        // What was asked for.
        case notFound, conflict, gone, invalid
        // Chaos Mesh.
        case chaosMeshMissing, webhookSilent, controllerSilent, noPodMatches, netemMissing, notInjected, notRemoved
    }

    public let kind: Kind
    /// One sentence, without a full stop: `the API server refuses to create networkchaos in payment-chaos`.
    public let detail: String
    /// What to do, as one or more commands or sentences.
    public let remedy: String?
    /// When the server said when to come again.
    public let retryAfter: Duration?

    public init(_ kind: Kind, _ detail: String, remedy: String? = nil, retryAfter: Duration? = nil) {
        self.kind = kind
        self.detail = detail
        self.remedy = remedy
        self.retryAfter = retryAfter
    }
}

extension ClusterError: CustomStringConvertible {
    public var description: String { remedy.map { "\(detail): \($0)" } ?? detail }
}

extension ClusterError: PassingTrouble {
    /// What a moment of the API server's, or of the way to it, may be the reason of.
    public var mayPass: Bool {
        switch kind {
        case .unreachable, .timedOut, .throttled, .brokenAnswer, .serverError: true
        default: false
        }
    }
}
