import HTTPTypes
import Hummingbird
import Logging
import Metrics
import NIOHTTP1
import Synchronization

/// The outermost layer: gives the request its trace, counts and times it, says who answered, and writes one access-log
/// line.
///
/// It stands outside ``ProblemMiddleware``, so that failed requests have a status and a duration like all others.
struct TelemetryMiddleware: RouterMiddleware {
    typealias Context = AppContext

    let metrics: any MetricsFactory
    /// Nil where there is only one.
    let replica: String?
    /// See ``HTTPServerSettings/headers``.
    let headers: HTTPFields

    /// Characters of a path in the log; the paths of all endpoints are shorter.
    private static let maxLoggedPath = 256

    func handle(
        _ request: Request, context: AppContext, next: (Request, AppContext) async throws -> Response
    ) async throws -> Response {
        let start = ContinuousClock.now
        let trace = request.headers[.traceparent].flatMap(TraceContext.init(traceparent:))?.child() ?? TraceContext()
        return try await TraceContext.$current.withValue(trace) {
            var response = try await next(request, context)
            response.headers[.traceresponse] = trace.traceparent
            if let replica { response.headers[.servedBy] = replica }
            for field in headers where response.headers[field.name] == nil {
                response.headers[field.name] = field.value
            }
            record(request, context, response.status, ContinuousClock.now - start)
            return response
        }
    }

    private func record(
        _ request: Request, _ context: AppContext, _ status: HTTPResponse.Status, _ duration: Duration
    ) {
        // The template, never the path: a path would make a series for every id.
        let route = context.endpointPath ?? "none"
        let dimensions = [("method", request.method.rawValue), ("route", route), ("status", String(status.code))]
        Counter(label: "http_server_requests_total", dimensions: dimensions, factory: metrics).increment()
        Timer(label: "http_server_request_duration_seconds", dimensions: dimensions, factory: metrics)
            .recordNanoseconds(duration.nanoseconds)

        // Probes and scrapes come every few seconds and say nothing when they succeed.
        let isProbe = ["/health", "/health/ready", "/metrics"].contains(route) && status.kind == .successful
        context.logger.log(
            level: isProbe ? .debug : .info, "request",
            metadata: [
                "method": "\(request.method.rawValue)",
                "path": "\(CardNumbers.masked(path: request.uri.path).prefix(Self.maxLoggedPath))",
                "status": .stringConvertible(status.code),
                "duration_ms": .stringConvertible(duration.milliseconds),
            ])
    }
}

/// Turns every error into the one shape that leaves a process.
struct ProblemMiddleware: RouterMiddleware {
    typealias Context = AppContext

    let allowedMethods: AllowedMethods

    func handle(
        _ request: Request, context: AppContext, next: (Request, AppContext) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch {
            let response = try problem(for: error, request, context).response(from: request, context: context)
            // A body after the head of an answer to HEAD would be read as the next answer.
            return request.method == .head ? response.createHeadResponse() : response
        }
    }

    private func problem(for error: any Error, _ request: Request, _ context: AppContext) -> Problem {
        switch error {
        case let problem as Problem:
            return problem
        case let error as HTTPError where error.status == .notFound:
            guard let (template, allow) = allowedMethods.find(path: request.uri.path) else {
                return .notFound("There is nothing at this path. GET / lists the endpoints.")
            }
            context.coreContext.endpointPath.value = template
            return Problem(.methodNotAllowed, "This path takes \(allow).", headers: [.allow: allow])
        case let error as any HTTPResponseError:
            return Problem(error.status, error.status.reasonPhrase)
        case is CancellationError:
            return .retryLater(.serviceUnavailable, "The service is shutting down.", seconds: 1)
        case is HTTPParserError:
            return .malformed(MalformedRequestHandler.detail)
        case StoreError.busy:
            context.logger.warning("the store is busy: a request was refused")
            return .retryLater(.serviceUnavailable, "The service's store is busy.", seconds: 1)
        case StoreError.closed:
            return .retryLater(.serviceUnavailable, "The service is shutting down.", seconds: 1)
        default:
            context.logger.error("unexpected error", metadata: ["error": "\(error)"])
            return Problem(.internalServerError, "Something unexpected went wrong. It has been logged.")
        }
    }
}

/// Refuses what a server takes from nobody, or not from this caller: see ``HTTPServerSettings/check``.
struct CheckMiddleware: RouterMiddleware {
    typealias Context = AppContext

    let check: @Sendable (Request) throws -> Void

    func handle(
        _ request: Request, context: AppContext, next: (Request, AppContext) async throws -> Response
    ) async throws -> Response {
        try check(request)
        return try await next(request, context)
    }
}

/// Gives the handler the caller's deadline and refuses what has come too late.
struct DeadlineMiddleware: RouterMiddleware {
    typealias Context = AppContext

    /// Whether callers' deadlines count at all: a pattern that can be switched off.
    let isOn: @Sendable () -> Bool

    func handle(
        _ request: Request, context: AppContext, next: (Request, AppContext) async throws -> Response
    ) async throws -> Response {
        guard isOn(), let text = request.headers[.requestDeadline] else { return try await next(request, context) }
        guard let milliseconds = UInt32(text), milliseconds <= 3_600_000 else {
            throw Problem.malformed("X-Request-Deadline-Ms must be an integer from 0 to 3600000.")
        }
        guard milliseconds > 0 else {
            throw Problem(.gatewayTimeout, "The deadline of the request had passed before it arrived: timeout.")
        }
        return try await RequestDeadline.$current.withValue(RequestDeadline(after: .milliseconds(milliseconds))) {
            try await next(request, context)
        }
    }
}

/// Refuses requests beyond a number in flight, so that a flood fails fast instead of slowing everyone.
/// Probes and scrapes always pass.
struct InFlightLimitMiddleware: RouterMiddleware {
    typealias Context = AppContext

    private let gauge: InFlightGauge
    private let limit: Int

    init(limit: Int) {
        self.limit = limit
        gauge = InFlightGauge()
    }

    func handle(
        _ request: Request, context: AppContext, next: (Request, AppContext) async throws -> Response
    ) async throws -> Response {
        guard !request.isProbe else { return try await next(request, context) }
        let count = gauge.value.add(1, ordering: .relaxed).newValue
        defer { gauge.value.subtract(1, ordering: .relaxed) }
        guard count <= limit else {
            throw Problem.retryLater(.serviceUnavailable, "Too many requests are in flight.", seconds: 1)
        }
        return try await next(request, context)
    }

    private final class InFlightGauge: Sendable {
        let value = Atomic<Int>(0)
    }
}

extension Request {
    /// Whether it comes from who watches over the service; those are never refused.
    var isProbe: Bool { uri.path.hasPrefix("/health") || uri.path == "/metrics" }
}

extension HTTPField.Name {
    public static let traceparent = constant("traceparent")
    public static let traceresponse = constant("traceresponse")
    /// The replica that answered.
    public static let servedBy = constant("X-Served-By")
    public static let referrerPolicy = constant("Referrer-Policy")
    public static let crossOriginOpenerPolicy = constant("Cross-Origin-Opener-Policy")
    public static let idempotencyKey = constant("Idempotency-Key")

    /// A field name that is known to be one.
    static func constant(_ name: String) -> HTTPField.Name {
        guard let name = HTTPField.Name(name) else { preconditionFailure("\(name) is no field name") }
        return name
    }
}
