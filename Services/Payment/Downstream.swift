import Foundation
import HTTPTypes
import Shared

/// Another service over HTTP, which takes and gives JSON objects.
struct Downstream: Sendable {
    let client: HTTPClient
    /// Without a slash at its end.
    let baseURL: String

    /// The most bytes of an answer; theirs are far below.
    private static let maxAnswerBytes = 256 * 1024

    /// - Parameters:
    ///   - path: percent-encoded, with a slash before it.
    ///   - key: set where the service does a repeated call only once; then the client may send it again when a pooled
    ///     connection turns out to be closed.
    ///   - timeout: from call to last byte. The caller's own deadline shortens it further.
    /// - Returns: the JSON object of a 2xx answer.
    /// - Throws: ``DownstreamError``, or `CancellationError`.
    func call(
        _ method: HTTPRequest.Method, _ path: String, body: [String: JSONValue]? = nil, key: String? = nil,
        timeout: Duration
    ) async throws -> JSONValue {
        guard timeout > .zero else { throw DownstreamError.timedOut }
        var request = HTTPClientRequest(
            method: method, url: baseURL + path, timeout: timeout, maxResponseBytes: Self.maxAnswerBytes)
        request.headers[.idempotencyKey] = key
        if let body {
            request.body = Data(canonicalJSON(body).utf8)
            request.headers[.contentType] = "application/json"
        }
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
    case status(Int, JSONValue?)

    init(_ error: HTTPClientError) {
        switch error {
        case .timedOut: self = .timedOut
        case .connectFailed, .connectionLost, .invalidURL, .closed: self = .unreachable
        case .malformedResponse, .responseTooLarge: self = .unreadable
        }
    }

    var description: String {
        switch self {
        case .timedOut: "it did not answer in time"
        case .unreachable: "it could not be reached"
        case .unreadable: "its answer could not be read"
        case .status(let code, _): "it answered with status \(code)"
        }
    }
}
