import Foundation
import HTTPTypes
import Shared

/// The API of a runner, over a connection that its user keeps.
struct RunnerConnection: Sendable {
    let address: RunnerAddress
    let client: HTTPClient

    /// - Parameters:
    ///   - body: JSON.
    ///   - timeout: of all of it.
    /// - Throws: ``SilentRunner`` when nobody answers, ``LabError`` when this cannot be done now, ``RefusedRequest`` when it
    ///   never can.
    func call(
        _ method: HTTPRequest.Method, _ path: String, body: Data? = nil, timeout: Duration = .seconds(10)
    ) async throws -> Data {
        let response: HTTPClientResponse
        do {
            response = try await client.execute(
                HTTPClientRequest(
                    method: method, url: address.url + path,
                    headers: body == nil ? [:] : [.contentType: "application/json"], body: body, timeout: timeout,
                    maxResponseBytes: 16 * 1024 * 1024))
        } catch is HTTPClientError {
            throw SilentRunner()
        }
        guard (200..<300).contains(response.status) else {
            let problem = try? JSONDecoder().decode(JSONValue.self, from: response.body)
            let detail = problem?["detail"]?.text ?? "\(address.url) answered \(response.status)"
            // What the caller can mend by asking for something else is wrong usage.
            if [404, 422].contains(response.status) { throw RefusedRequest(description: detail) }
            throw LabError(detail)
        }
        return response.body
    }
}

/// Nobody answers where a runner should: whoever follows a run may ask again.
struct SilentRunner: Error {}

/// The API of a runner, for a command that follows what goes on there: it lives with a runner that does not answer for as
/// long as its address may be silent.
struct PatientConnection {
    let connection: RunnerConnection
    private var heardAt = ContinuousClock.now

    init(_ connection: RunnerConnection) { self.connection = connection }

    /// - Returns: the answer; nil when there was none this time, and it is worth asking again.
    /// - Throws: ``SilentRunner`` when there has been none for too long, ``LabError`` for what is not there any more.
    mutating func ask(_ path: String) async throws -> Data? {
        do {
            let answer = try await connection.call(.get, path)
            heardAt = .now
            return answer
        } catch is SilentRunner where heardAt.duration(to: .now) < connection.address.patience {
            return nil
        } catch let refusal as RefusedRequest {
            // It was there when the command began: a runner that started anew does not know of it.
            throw LabError(refusal.description)
        }
    }
}

/// The API of a runner, for commands that ask it one thing.
struct RunnerClient: Sendable {
    let address: RunnerAddress

    /// Longer than the longest that the API takes for most answers: a halt waits for the last fault.
    private static let timeout = Duration.seconds(20)

    /// As ``RunnerConnection/call(_:_:body:timeout:)``, but nobody there is a ``LabError`` too.
    func call(
        _ method: HTTPRequest.Method, _ path: String, body: Data? = nil, timeout: Duration = timeout
    ) async throws -> Data {
        let client = HTTPClient()
        let result: Result<Data, any Error>
        do {
            let connection = RunnerConnection(address: address, client: client)
            result = .success(try await connection.call(method, path, body: body, timeout: timeout))
        } catch is SilentRunner {
            result = .failure(address.silence)
        } catch {
            result = .failure(error)
        }
        await client.shutdown()
        return try result.get()
    }
}
