import Foundation
import HTTPTypes
import Logging
import Shared

/// The Kubernetes API server, over one ``HTTPClient`` of its own.
///
/// ```
///   call --credentials--> request --200--> value
///     ^--- 401: ask anew, once            '-- else --> ClusterError, with the remedy
///     ^--- 429: wait as told, within the deadline
/// ```
///
/// Every call has a total deadline, its repetitions included; no error and no log line names a token.
public final class KubernetesAPI: Sendable {
    public let access: ClusterAccess
    public let timing: ClusterTiming
    let logger: Logger
    let http: HTTPClient
    let clock = ServerClock()
    private let credentials: Credentials

    /// An answer is cut there: 500 pods with all their fields have 5 MiB.
    static let maxResponseBytes = 32 * 1024 * 1024
    /// When the server says nothing of when to come again.
    private static let usualRetry = Duration.seconds(1)

    public init(_ access: ClusterAccess, timing: ClusterTiming = .init(), logger: Logger) {
        self.access = access
        self.timing = timing
        self.logger = logger
        credentials = Credentials(access)
        http = HTTPClient(
            configuration: .init(
                maxConnectionsPerHost: 16, maxTotalConnections: 32, maxInFlight: 256,
                connectTimeout: min(.seconds(5), timing.request), userAgent: "payment-chaos-scenario-runner/1.0"))
    }

    /// Ends the connections and their thread. Nothing can be asked afterwards.
    public func shutdown() async { await http.shutdown() }

    /// One question and its whole answer.
    struct Question: Sendable {
        var method = HTTPRequest.Method.get
        let path: String
        var query: [(String, String)] = []
        var body: JSONValue?
        var contentType = "application/json"
        let call: KubernetesCall
    }

    /// Asks, and reads the answer as JSON.
    ///
    /// - Throws: ``ClusterError`` or `CancellationError`.
    func ask<Value: Decodable>(_ question: Question, as type: Value.Type = Value.self) async throws -> Value {
        let answer = try await send(question)
        do {
            return try JSONDecoder().decode(Value.self, from: answer.body)
        } catch {
            throw question.call.brokenAnswer()
        }
    }

    /// Asks, again where that helps.
    @discardableResult
    func send(_ question: Question) async throws -> HTTPClientResponse {
        let deadline = ContinuousClock.now + timing.request
        var mayLogIn = true
        while true {
            let answer = try await sendOnce(question, until: deadline)
            if (200..<300).contains(answer.status) { return answer }
            let error = question.call.error(code: answer.status, body: answer.body, headers: answer.headers)
            switch answer.status {
            case 401 where mayLogIn:
                mayLogIn = false
                guard await credentials.refused() else { throw error }
            case 429:
                let pause = error.retryAfter ?? Self.usualRetry
                guard ContinuousClock.now + pause < deadline else { throw error }
                try await Task.sleep(for: pause)
            default: throw error
            }
        }
    }

    private func sendOnce(_ question: Question, until deadline: ContinuousClock.Instant) async throws
        -> HTTPClientResponse
    {
        var request = try await request(question)
        request.timeout = ContinuousClock.now.duration(to: deadline)
        do {
            let answer = try await http.execute(request)
            clock.learn(answer.headers)
            return answer
        } catch let error as HTTPClientError {
            throw question.call.error(error, server: access.server, timeout: timing.request)
        }
    }

    /// With who we are now.
    func request(_ question: Question) async throws -> HTTPClientRequest {
        let current = try await credentials.current()
        var headers: HTTPFields = [.accept: "application/json"]
        headers[.authorization] = current.authorization
        var request = HTTPClientRequest(
            method: question.method, url: access.server + question.path + Self.query(question.query),
            headers: headers, timeout: timing.request, maxResponseBytes: Self.maxResponseBytes)
        if let body = question.body {
            request.body = try JSONEncoder().encode(body)
            request.headers[.contentType] = question.contentType
        }
        request.sendsDeadline = false
        request.tls = access.tls
        request.tls.identity = current.identity
        request.connectTo = access.connectTo
        return request
    }

    /// A stream's request was refused: returns whether to ask again with other credentials.
    func credentialsRefused() async -> Bool { await credentials.refused() }

    private static func query(_ items: [(String, String)]) -> String {
        guard !items.isEmpty else { return "" }
        return "?" + items.map { "\($0)=\(URLEscape.pathSegment($1))" }.joined(separator: "&")
    }
}
