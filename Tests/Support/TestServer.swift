import Logging
import ServiceLifecycle
import Shared

/// A server with the set-up of all four, on a port of its own, with its log kept.
///
/// ```
///   withServer(routes) { server in ... }    real socket --> HTTPServer --> routes
/// ```
public struct TestServer: Sendable {
    public let port: Int
    public let http: HTTPServer
    public let log: LogLines
    private let group: ServiceGroup

    init(port: Int, http: HTTPServer, log: LogLines, group: ServiceGroup) {
        self.port = port
        self.http = http
        self.log = log
        self.group = group
    }

    /// One request on a connection of its own.
    public func send(
        _ method: String, _ path: String, host: String = "localhost", headers: [String: String] = [:],
        body: String? = nil
    ) async throws -> WireResponse {
        var head = "\(method) \(path) HTTP/1.1\r\nHost: \(host)\r\nConnection: close\r\n"
        if let body { head += "Content-Length: \(body.utf8.count)\r\n" }
        for (name, value) in headers { head += "\(name): \(value)\r\n" }
        let connection = try RawConnection(port: port)
        try await connection.send("\(head)\r\n\(body ?? "")")
        return try WireResponse(await connection.receiveToEnd())
    }

    /// A JSON body by POST.
    public func post(_ path: String, json: String, headers: [String: String] = [:]) async throws -> WireResponse {
        try await send("POST", path, headers: headers.merging(["Content-Type": "application/json"]) { $1 }, body: json)
    }

    /// A JSON body by PUT.
    public func put(_ path: String, json: String) async throws -> WireResponse {
        try await send("PUT", path, headers: ["Content-Type": "application/json"], body: json)
    }

    public func get(_ path: String, headers: [String: String] = [:]) async throws -> WireResponse {
        try await send("GET", path, headers: headers)
    }

    /// What SIGTERM does.
    public func shutDown() async { await group.triggerGracefulShutdown() }
}

/// Starts a server with these routes, runs `body`, and shuts the server down in order.
@discardableResult
public func withServer<Result>(
    routes: [Route], configure: (inout HTTPServerSettings) -> Void = { _ in },
    _ body: (TestServer) async throws -> Result
) async throws -> Result {
    var settings = HTTPServerSettings(name: "test-service", host: "127.0.0.1", port: 0, about: "A test")
    configure(&settings)
    let log = LogLines()
    let logger = log.logger(service: "test-service", level: .info)
    let http = HTTPServer(settings: settings, logger: logger)
    return try await withServices(logger: logger) { onServerRunning in
        [http.application(routes: routes, openAPI: Array("openapi: 3.1.0\n".utf8), onServerRunning: onServerRunning)]
    } body: { port, group in
        try await body(TestServer(port: port, http: http, log: log, group: group))
    }
}
