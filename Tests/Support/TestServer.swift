import Foundation
import Logging
import ServiceLifecycle
import Shared
import Synchronization

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
        _ method: String, _ path: String, headers: [String: String] = [:], body: String? = nil
    ) async throws -> WireResponse {
        var head = "\(method) \(path) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
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

    public func get(_ path: String, headers: [String: String] = [:]) async throws -> WireResponse {
        try await send("GET", path, headers: headers)
    }

    /// What SIGTERM does.
    public func shutDown() async { await group.triggerGracefulShutdown() }
}

/// The lines that a ``JSONLogHandler`` wrote.
public final class LogLines: Sendable {
    private let data = Mutex<[Data]>([])

    public init() {}

    public func append(_ line: Data) { data.withLock { $0.append(line) } }

    public var lines: [Data] { data.withLock { $0 } }
}

public struct ServerDidNotStart: Error {}

/// Starts a server with these routes, runs `body`, and shuts the server down in order.
@discardableResult
public func withServer<Result>(
    routes: [Route], configure: (inout HTTPServerSettings) -> Void = { _ in },
    _ body: (TestServer) async throws -> Result
) async throws -> Result {
    var settings = HTTPServerSettings(name: "test-service", host: "127.0.0.1", port: 0, about: "A test")
    configure(&settings)
    let log = LogLines()
    let logger = Logger(label: "test") { _ in
        JSONLogHandler(service: "test-service", write: { log.append($0) })
    }
    let http = HTTPServer(settings: settings, logger: logger)
    let (ports, port) = AsyncStream.makeStream(of: Int.self)
    let application = http.application(routes: routes, openAPI: Array("openapi: 3.1.0\n".utf8)) { port.yield($0) }
    var configuration = ServiceGroupConfiguration(services: [application], logger: logger)
    configuration.maximumGracefulShutdownDuration = .seconds(5)
    configuration.maximumCancellationDuration = .seconds(1)
    let group = ServiceGroup(configuration: configuration)

    return try await withThrowingTaskGroup(of: Void.self) { tasks in
        tasks.addTask {
            defer { port.finish() }
            try await group.run()
        }
        guard let port = await ports.first(where: { _ in true }) else {
            try await tasks.waitForAll()
            throw ServerDidNotStart()
        }
        do {
            let result = try await body(TestServer(port: port, http: http, log: log, group: group))
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
            return result
        } catch {
            tasks.cancelAll()
            throw error
        }
    }
}
