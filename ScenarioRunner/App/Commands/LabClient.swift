import ArgumentParser
import Foundation
import HTTPTypes
import Shared

/// The API of a running lab, for commands that ask it one thing.
struct LabClient: Sendable {
    let state: LabFolder.State

    /// Longer than the longest that the API takes for one answer: a halt waits for the last fault.
    private static let timeout = Duration.seconds(20)

    /// - Parameter folder: `--state` of the command.
    /// - Throws: ``LabError`` when no lab runs there.
    init(folder: String) throws {
        state = try LabFolder.runningLab(in: folder)
    }

    init(state: LabFolder.State) { self.state = state }

    /// - Throws: ``LabError`` when the lab does not answer, ``RefusedRequest`` when it never will do this.
    ///
    /// - Parameter body: JSON.
    func call(_ method: HTTPRequest.Method, _ path: String, body: Data? = nil) async throws -> Data {
        let client = HTTPClient()
        let result: Result<HTTPClientResponse, any Error>
        do {
            result = .success(
                try await client.execute(
                    HTTPClientRequest(
                        method: method, url: state.runnerURL + path,
                        headers: body == nil ? [:] : [.contentType: "application/json"], body: body,
                        timeout: Self.timeout)))
        } catch { result = .failure(error) }
        await client.shutdown()
        guard let response = try? result.get() else {
            throw LabError("the lab at \(state.runnerURL) does not answer; is it still running?")
        }
        guard (200..<300).contains(response.status) else {
            let detail = (try? JSONDecoder().decode(JSONValue.self, from: response.body))?["detail"]?.text
            let text = detail ?? "the lab answered \(response.status)"
            if [404, 422].contains(response.status) { throw RefusedRequest(description: text) }
            throw LabError(text)
        }
        return response.body
    }
}
