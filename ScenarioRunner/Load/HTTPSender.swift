import Experiments
import Foundation
import HTTPTypes
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

    public func send(_ request: PreparedRequest) async -> RequestResult {
        do {
            let answer = try await execute(Self.httpRequest(request))
            return RequestResult(
                .status(answer.status), paymentID: request.isPayment ? Self.paymentID(in: answer.body) : nil,
                replica: Self.replica(in: answer))
        } catch HTTPClientError.timedOut {
            return RequestResult(.timedOut)
        } catch {
            return RequestResult(.connectionFailed)
        }
    }

    /// Longer names are no names.
    private static let maximumReplicaBytes = 255

    private static func replica(in answer: HTTPClientResponse) -> String? {
        answer.headers[.servedBy].flatMap { $0.utf8.count <= maximumReplicaBytes ? $0 : nil }
    }

    /// From an answer or a problem; nil where neither names one.
    private static func paymentID(in body: Data) -> String? {
        (try? JSONDecoder().decode(Named.self, from: body))?.paymentID
    }

    private struct Named: Decodable {
        let paymentID: String?

        enum CodingKeys: String, CodingKey { case paymentID = "payment_id" }
    }

    private static func httpRequest(_ request: PreparedRequest) -> HTTPClientRequest {
        HTTPClientRequest(
            method: request.method, url: request.url, headers: request.headers,
            body: request.body.map { Data($0.utf8) }, timeout: request.timeout,
            maxResponseBytes: maximumResponseBytes)
    }
}
