/// A fault in the HTTP requests or answers of replicas (Chaos Mesh 2.8: `HTTPChaosSpec`), every field of it.
public struct HTTPChaosSpec: Sendable, Equatable {
    public enum Target: String, Sendable, CaseIterable {
        case request = "Request"
        case response = "Response"
    }

    public struct TLS: Sendable, Equatable {
        public let caName: String?
        public let certName: String
        public let keyName: String
        public let secretName: String
        public let secretNamespace: String
    }

    /// What takes the place of a part of the message.
    public struct Replacement: Sendable, Equatable {
        /// In base64.
        public let body: String?
        public let code: Int?
        public let headers: [String: String]
        public let method: String?
        public let path: String?
        public let queries: [String: String]
    }

    /// What is added to the message.
    public struct Patch: Sendable, Equatable {
        public let bodyType: String?
        public let bodyValue: String?
        /// Pairs of name and value.
        public let headers: [[String]]
        public let queries: [[String]]
    }

    public let source: ReplicaSelection
    public let target: Target
    /// 1 to 65535.
    public let port: Int
    // Which messages: all of these must fit.
    public let path: String?
    public let method: String?
    public let code: Int?
    public let requestHeaders: [String: String]
    public let responseHeaders: [String: String]
    // What becomes of them.
    public let abort: Bool
    public let delay: Duration?
    public let replace: Replacement?
    public let patch: Patch?
    public let tls: TLS?
    public let remoteCluster: String?
    public let duration: Duration?
}
