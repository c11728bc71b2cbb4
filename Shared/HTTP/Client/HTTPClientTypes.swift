import Foundation
import HTTPTypes

/// One outgoing request.
public struct HTTPClientRequest: Sendable {
    public var method: HTTPRequest.Method
    /// An absolute `http` or `https` URL, already percent-encoded.
    public var url: String
    public var headers: HTTPFields
    public var body: Data?
    /// The time from call to last byte, everything included; never per read. The caller's own request deadline
    /// (``RequestDeadline``) shortens it further.
    public var timeout: Duration
    /// A longer answer is an error, ``HTTPClientError/responseTooLarge``.
    public var maxResponseBytes: Int
    /// Whether the server is told how long the caller will wait (`X-Request-Deadline-Ms`).
    public var sendsDeadline = true
    /// For `https`: whom to trust, and who we are.
    public var tls = HTTPClientTLS()
    /// `host:port` to connect to instead of the URL's, whose name the server's certificate still has to bear.
    public var connectTo: String?

    public init(
        method: HTTPRequest.Method = .get, url: String, headers: HTTPFields = [:], body: Data? = nil,
        timeout: Duration, maxResponseBytes: Int = 1024 * 1024
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.timeout = timeout
        self.maxResponseBytes = maxResponseBytes
    }
}

/// A complete answer, of whatever status.
public struct HTTPClientResponse: Sendable {
    public let status: Int
    public let headers: HTTPFields
    public let body: Data
    public let timings: HTTPClientTimings
}

extension HTTPClientResponse {
    /// The body read as JSON.
    ///
    /// - Throws: `DecodingError`.
    public func decode<Value: Decodable>(
        _ type: Value.Type = Value.self, using decoder: JSONDecoder = JSONDecoder()
    ) throws -> Value {
        try decoder.decode(type, from: body)
    }
}

/// How long the parts of a request took, each counted from the start of the transfer.
public struct HTTPClientTimings: Sendable {
    public let nameLookup: Duration
    public let connect: Duration
    public let firstByte: Duration
    public let total: Duration
    /// Whether a pooled connection served the request.
    public let reusedConnection: Bool
}

/// Why no complete answer came. The descriptions name no host and no address: they may reach a client.
public enum HTTPClientError: Error, Sendable, Equatable {
    /// The total deadline passed.
    case timedOut
    /// No connection: refused, unreachable, or the name is unknown.
    case connectFailed
    /// The server's certificate is signed by nobody who is trusted, is out of date, or bears another name.
    case untrustedServer
    /// Our own certificates or keys cannot be read or used.
    case unusableCertificate
    /// The connection broke or closed before the answer was complete. The server may have done what was asked.
    ///
    /// An answer that ends short of its announced length counts here, not as malformed: it looks the same as a server
    /// that died while answering.
    case connectionLost
    /// The answer was not HTTP, or its header goes beyond the limits of ``HTTPClientConfiguration``.
    case malformedResponse
    case responseTooLarge(limit: Int)
    case invalidURL
    /// The client was shut down.
    case closed
}

extension HTTPClientError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .timedOut: "no complete answer within the time allowed"
        case .connectFailed: "no connection to the server"
        case .untrustedServer: "the server's certificate is not trusted"
        case .unusableCertificate: "a certificate or key for the connection cannot be used"
        case .connectionLost: "the connection ended before the answer was complete"
        case .malformedResponse: "the answer was not valid HTTP"
        case .responseTooLarge(let limit): "the answer is longer than \(limit) bytes"
        case .invalidURL: "the request has an invalid URL"
        case .closed: "the client was shut down"
        }
    }
}
