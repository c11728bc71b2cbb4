import Foundation
import HTTPTypes
import Shared

/// Asks a running service over a real socket.
public struct TestClient: Sendable {
    public let http: HTTPClient
    public let baseURL: String

    public init(_ http: HTTPClient, _ baseURL: String) {
        self.http = http
        self.baseURL = baseURL
    }

    public func get(_ path: String, headers: HTTPFields = [:]) async throws -> TestAnswer {
        try await send(.get, path, body: nil, headers: headers)
    }

    /// - Parameter json: the text of the body, which need not be JSON.
    public func post(
        _ path: String, _ json: String = "", headers: HTTPFields = [:], contentType: String? = "application/json"
    ) async throws -> TestAnswer {
        var headers = headers
        headers[.contentType] = contentType
        return try await send(.post, path, body: json, headers: headers)
    }

    public func send(
        _ method: HTTPRequest.Method, _ path: String, body: String?, headers: HTTPFields = [:]
    ) async throws -> TestAnswer {
        let response = try await http.execute(
            HTTPClientRequest(
                method: method, url: baseURL + path, headers: headers, body: body.map { Data($0.utf8) },
                timeout: .seconds(30)))
        return TestAnswer(
            status: response.status, headers: response.headers, text: String(decoding: response.body, as: UTF8.self))
    }
}

/// What came back.
public struct TestAnswer: Sendable {
    public let status: Int
    public let headers: HTTPFields
    public let text: String

    /// The body as JSON; null when it is none.
    public var json: JSONValue { (try? JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))) ?? .null }

    public subscript(_ member: String) -> JSONValue? { json[member] }

    /// Whether this is a problem of the contract's shape and of this status.
    public var isProblem: Bool {
        headers[.contentType] == "application/problem+json; charset=utf-8"
            && json["status"] == .integer(Int64(status)) && json["title"]?.text != nil
            && json["type"]?.text != nil && json["instance"]?.text != nil && json["detail"]?.text?.isEmpty == false
            && json["error"] == json["detail"]
    }
}

/// Runs `body` with a client that is shut down afterwards.
public func withHTTPClient<Value>(_ body: (HTTPClient) async throws -> Value) async throws -> Value {
    let client = HTTPClient(configuration: .init())
    do {
        let value = try await body(client)
        await client.shutdown()
        return value
    } catch {
        await client.shutdown()
        throw error
    }
}
