import HTTPTypes
import Hummingbird
import Metrics
import Synchronization

/// Refuses what a busy server could only answer late, with 503 and `Retry-After`: see ``ConcurrencyLimit``.
///
/// ```
///   request --room--> handler --> answer: its latency moves the limit
///      '------none--> 503 at once, which costs almost nothing
/// ```
struct LoadSheddingMiddleware: RouterMiddleware {
    typealias Context = AppContext

    private let isOn: @Sendable () -> Bool
    private let shed: Counter
    private let limitGauge: Gauge
    private let state: LimitState

    init(isOn: @escaping @Sendable () -> Bool, metrics: any MetricsFactory) {
        self.isOn = isOn
        shed = Counter(label: "http_server_requests_shed_total", factory: metrics)
        limitGauge = Gauge(label: "http_server_concurrency_limit", factory: metrics)
        state = LimitState()
    }

    func handle(
        _ request: Request, context: AppContext, next: (Request, AppContext) async throws -> Response
    ) async throws -> Response {
        guard isOn(), !request.isProbe else { return try await next(request, context) }
        guard state.limit.withLock({ $0.enter() }) else {
            shed.increment()
            throw Problem.retryLater(
                .serviceUnavailable, "The service has more requests than it can answer in time.", seconds: 1)
        }
        let start = ContinuousClock.now
        // What the server did not work on to its end took no time that says anything.
        var wasWork = false
        defer {
            let latency = wasWork ? ContinuousClock.now - start : nil
            // The template is known once the router has found it.
            let route = context.endpointPath ?? "none"
            limitGauge.record(
                state.limit.withLock { limit in
                    limit.leave(route: route, latency: latency)
                    return limit.current
                })
        }
        do {
            let response = try await next(request, context)
            wasWork = true
            return response
        } catch let problem as Problem {
            wasWork = problem.status.code < 500
            throw problem
        }
    }

    private final class LimitState: Sendable {
        let limit = Mutex(ConcurrencyLimit())
    }
}
