import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import Metrics
import NIOCore
import ServiceLifecycle
import Synchronization

/// What every one of the four servers is told.
public struct HTTPServerSettings: Sendable {
    /// `payment-service`.
    public var name: String
    public var host: String
    /// 0 lets the kernel choose, for tests.
    public var port: Int
    /// What `GET /` says of the service.
    public var about: String
    /// The name of this process among those that answer alike, `payment-0`: stands in `X-Served-By` of every answer,
    /// so that whoever measures can tell them apart. Nil: no such header.
    public var replica: String?
    /// Fields of every answer whose handler does not set them itself.
    public var headers: HTTPFields = [:]
    /// Looks at every request before anything is done for it, and throws the ``Problem`` with which it is refused.
    public var check: @Sendable (Request) throws -> Void = { _ in }
    /// Requests beyond these are refused with 503.
    public var maxRequestsInFlight = 512
    /// Whether the pattern `load_shedding` is for this server: one whose latency is its own work. Where a server mostly
    /// waits for others, a slow neighbour would look like too much load.
    public var shedsLoad = false
    /// From the head of a request to the end of its body. Room for a few retransmissions on a lossy network.
    public var maxReadingTime = Duration.seconds(30)

    public static let maxConnections = 1024
    public static let idleTimeout = TimeAmount.seconds(60)
    /// Of one field, and of the request line: what servers take at least (RFC 9110, 4.1).
    public static let maxHeaderFieldBytes = 8 * 1024
    public static let maxHeaderBytes = 32 * 1024
    public static let maxHeaderFields = 100

    public init(name: String, host: String, port: Int, about: String, replica: String? = nil) {
        self.name = name
        self.host = host
        self.port = port
        self.about = about
        self.replica = replica
    }
}

/// Whether the process wants traffic: false while it starts and while it drains.
public final class Readiness: Sendable {
    private let ready = Atomic<Bool>(false)

    public init() {}

    public var isReady: Bool { ready.load(ordering: .acquiring) }

    func serverIsUp() { ready.store(true, ordering: .releasing) }
    func drains() { ready.store(false, ordering: .releasing) }
}

/// The application with its readiness, which goes down the moment that the shutdown begins.
///
/// A service beside the server would hear of it too late: a group ends its services one after the other, and the
/// server, which waits for the requests in flight, comes first.
private struct ReadyWhileRunning<Server: ApplicationProtocol>: Service {
    let server: Server
    let readiness: Readiness
    let settings: HTTPServerSettings

    func run() async throws {
        do {
            try await withGracefulShutdownHandler {
                try await server.run()
            } onGracefulShutdown: {
                readiness.drains()
            }
        } catch let error as IOError where CannotListen.codes.contains(error.errnoCode) {
            throw CannotListen(host: settings.host, port: settings.port, code: error.errnoCode)
        }
    }
}

/// The address of a server cannot be had; the process says so in one line.
struct CannotListen: Error, CustomStringConvertible {
    let host: String
    let port: Int
    let code: CInt

    /// Taken, not of this machine, or only for the administrator.
    static let codes = [EADDRINUSE, EADDRNOTAVAIL, EACCES]

    var description: String {
        switch code {
        case EADDRINUSE: "port \(port) of \(host) is taken: end the program that has it, or choose another port"
        case EADDRNOTAVAIL: "\(host) is no address of this machine: choose another host"
        default: "port \(port) of \(host) is not for this user: choose one from 1024 up"
        }
    }
}

/// The set-up that all four servers share.
///
/// ```
///   socket --> limits --> telemetry --> problem+json --> check --> load shedding --> deadline --> router --> handler
/// ```
public struct HTTPServer: Sendable {
    public let settings: HTTPServerSettings
    public let registry: MetricsRegistry
    public let logger: Logger
    public let readiness = Readiness()
    private let resilience: @Sendable () -> ResilienceSettings

    /// - Parameter resilience: the patterns in force, asked anew for every request.
    public init(
        settings: HTTPServerSettings, registry: MetricsRegistry = MetricsRegistry(),
        resilience: @escaping @Sendable () -> ResilienceSettings = { .fallback }, logger: Logger
    ) {
        self.settings = settings
        self.registry = registry
        self.resilience = resilience
        self.logger = logger
    }

    /// The application, ready to run in a service group.
    ///
    /// - Parameters:
    ///   - openAPI: the service's OpenAPI document (YAML).
    ///   - onServerRunning: is told the port, which matters where it was 0.
    public func application(
        routes: [Route], openAPI: [UInt8], onServerRunning: @escaping @Sendable (_ port: Int) async -> Void = { _ in }
    ) -> some Service {
        let all = routes + commonRoutes(beside: routes, openAPI: openAPI)
        let router = Router(context: AppContext.self, options: [.autoGenerateHeadEndpoints])
        router.addMiddleware {
            TelemetryMiddleware(metrics: registry, replica: settings.replica, headers: settings.headers)
            ProblemMiddleware(allowedMethods: AllowedMethods(all))
            CheckMiddleware(check: settings.check)
            InFlightLimitMiddleware(limit: settings.maxRequestsInFlight)
            LoadSheddingMiddleware(
                isOn: { [resilience, settings] in settings.shedsLoad && resilience().has(.loadShedding) },
                metrics: registry)
            DeadlineMiddleware { [resilience] in resilience().has(.deadlines) }
        }
        router.add(all)
        let readiness = readiness
        let application = Application(
            router: router,
            server: .http1(
                configuration: .init(
                    additionalChannelHandlers: [
                        MalformedRequestHandler(), RequestReadingLimit(settings.maxReadingTime),
                    ],
                    idleTimeout: HTTPServerSettings.idleTimeout,
                    httpDecoderConfiguration: .init(
                        maxHeaderFieldSize: HTTPServerSettings.maxHeaderFieldBytes,
                        maxHeaderListSize: HTTPServerSettings.maxHeaderBytes,
                        maxHeaderFieldCount: HTTPServerSettings.maxHeaderFields))),
            configuration: .init(
                address: .hostname(settings.host, port: settings.port),
                serverName: settings.name,
                availableConnectionsDelegate: MaximumAvailableConnections(HTTPServerSettings.maxConnections)),
            onServerRunning: { channel in
                readiness.serverIsUp()
                await onServerRunning(channel.localAddress?.port ?? 0)
            },
            logger: logger)
        return ReadyWhileRunning(server: application, readiness: readiness, settings: settings)
    }

    private func commonRoutes(beside routes: [Route], openAPI: [UInt8]) -> [Route] {
        let (name, about, registry, readiness) = (settings.name, settings.about, registry, readiness)
        var common: [Route] = [
            .get("/health") { _, _ in try .json(Health(status: "healthy", service: name)) },
            .get("/health/ready") { _, _ in
                readiness.isReady
                    ? try .json(Health(status: "ready", service: name))
                    : try .json(Health(status: "unavailable", service: name), status: .serviceUnavailable)
            },
            .get("/metrics") { _, _ in
                .text(registry.render(), contentType: "text/plain; version=0.0.4; charset=utf-8")
            },
            .get("/openapi.yaml") { _, _ in
                .text(String(decoding: openAPI, as: UTF8.self), contentType: "application/yaml; charset=utf-8")
            },
        ]
        // The scenario runner has a page at its root instead.
        if !routes.contains(where: { $0.path == "/" }) {
            let endpoints = (routes + common).map { "\($0.method.rawValue) \($0.path)" }
            common.append(
                .get("/") { _, _ in try .json(Home(message: about, version: Version.current, endpoints: endpoints)) })
        }
        return common
    }

    private struct Health: Encodable {
        let status: String
        let service: String
        let timestamp = UnixTime.now
    }

    private struct Home: Encodable {
        let message: String
        let version: String
        let endpoints: [String]
    }
}

/// The version of all four executables.
public enum Version {
    public static let current = "1.0.0"
}
