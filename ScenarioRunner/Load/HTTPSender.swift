import Experiments
import Foundation
import Shared

/// Sends the requests of a load with an HTTP client, which keeps connections open between them.
public struct HTTPSender: RequestSender {
    /// Answers of services are small; a larger one is a failure.
    private static let maximumResponseBytes = 1024 * 1024

    private let execute: @Sendable (HTTPClientRequest) async throws -> HTTPClientResponse

    /// - Parameter execute: the client's own `execute`.
    public init(execute: @escaping @Sendable (HTTPClientRequest) async throws -> HTTPClientResponse) {
        self.execute = execute
    }

    public func send(_ request: PreparedRequest) async -> RequestSample.Outcome {
        do {
            return .status(try await execute(Self.httpRequest(request)).status)
        } catch HTTPClientError.timedOut {
            return .timedOut
        } catch {
            return .connectionFailed
        }
    }

    private static func httpRequest(_ request: PreparedRequest) -> HTTPClientRequest {
        HTTPClientRequest(
            method: request.method, url: request.url, headers: request.headers,
            body: request.body.map { Data($0.utf8) }, timeout: request.timeout,
            maxResponseBytes: maximumResponseBytes)
    }
}
