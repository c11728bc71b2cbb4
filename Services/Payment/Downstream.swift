import Foundation
import HTTPTypes
import Shared

/// Another service over HTTP, which takes and gives JSON objects, behind the resilience patterns in force.
struct Downstream: Sendable {
    let client: HTTPClient
    /// Without a slash at its end.
    let baseURL: String
    let serviceGuard: ServiceGuard

    /// The most bytes of an answer; theirs are far below.
    private static let maxAnswerBytes = 256 * 1024

    /// - Parameters:
    ///   - path: percent-encoded, with a slash before it.
    ///   - key: set where the service does a repeated call only once. Only such calls and reads are ever made twice: by
    ///     the client when a pooled connection turns out to be closed, and by a retry or a hedge.
    ///   - timeout: for all attempts, from the call to the last byte. The caller's own deadline shortens it further.
    ///   - settings: the patterns to use; those in force when nil.
    /// - Returns: the JSON object of a 2xx answer.
    /// - Throws: ``DownstreamError``, or `CancellationError`.
    func call(
        _ method: HTTPRequest.Method, _ path: String, body: [String: JSONValue]? = nil, key: String? = nil,
        timeout: Duration, settings: ResilienceSettings? = nil
    ) async throws -> JSONValue {
        let settings = settings ?? serviceGuard.settings
        var request = HTTPClientRequest(
            method: method, url: baseURL + path, timeout: timeout, maxResponseBytes: Self.maxAnswerBytes)
        request.sendsDeadline = settings.has(.deadlines)
        request.headers[.idempotencyKey] = key
        if let body {
            request.body = Data(canonicalJSON(body).utf8)
            request.headers[.contentType] = "application/json"
        }
        return try await serviceGuard.call(
            settings, isRepeatable: method == .get || key != nil, timeout: timeout, failingWith: DownstreamError.self
        ) { [request] in try await once(request, timeout: $0) }
    }

    private func once(_ request: HTTPClientRequest, timeout: Duration) async throws -> JSONValue {
        guard timeout > .zero else { throw DownstreamError.timedOut }
        var request = request
        request.timeout = timeout
        let response: HTTPClientResponse
        do {
            response = try await client.execute(request)
        } catch let error as HTTPClientError {
            throw DownstreamError(error)
        }
        let document = try? JSONDecoder().decode(JSONValue.self, from: response.body)
        guard (200..<300).contains(response.status) else {
            // It saw the same deadline pass that we sent with the request.
            throw response.status == 504 ? .timedOut : DownstreamError.status(response.status, document)
        }
        guard let document, case .object = document else { throw DownstreamError.unreadable }
        return document
    }
}

/// Why there is no usable answer of another service. The descriptions may reach a client: they name no host.
enum DownstreamError: Error, Sendable, Equatable, CustomStringConvertible {
    case timedOut
    case unreachable
    case unreadable
    /// Not called: it has failed so often of late that it is left alone for a while.
    case leftAlone
    case status(Int, JSONValue?)

    init(_ error: HTTPClientError) {
        switch error {
        case .timedOut: self = .timedOut
        case .connectFailed, .connectionLost, .untrustedServer, .unusableCertificate, .invalidURL, .closed:
            self = .unreachable
        case .malformedResponse, .responseTooLarge: self = .unreadable
        }
    }

    var description: String {
        switch self {
        case .timedOut: "it did not answer in time"
        case .unreachable: "it could not be reached"
        case .unreadable: "its answer could not be read"
        case .leftAlone: "it has failed too often and is left alone for a while"
        case .status(let code, _): "it answered with status \(code)"
        }
    }
}

extension DownstreamError: GuardedCallError {
    var isFailureOfService: Bool {
        switch self {
        case .timedOut, .unreachable, .unreadable: true
        case .status(let code, _): code >= 500 || code == 429
        case .leftAlone: false
        }
    }

    var retryAfter: Duration? {
        guard case .status(_, let document) = self, case .integer(let seconds) = document?["retry_after"] else {
            return nil
        }
        return .seconds(seconds)
    }
}
