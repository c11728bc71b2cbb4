import Metrics

/// What a ``ServiceGuard`` did, for `GET /metrics`; each with the service that was called.
struct GuardMetrics: Sendable {
    /// Attempts of all kinds: first ones, retries, hedges.
    let attempts: Counter
    let retries: Counter
    /// Retries and hedges that the budget did not allow.
    let denied: Counter
    let hedges: Counter
    /// Hedges that were answered before the call that they stood beside.
    let hedgesWon: Counter
    /// Calls that an open breaker kept from being made.
    let leftAlone: Counter
    /// How long the attempts took that were answered, and those that failed: with both, what their caller sees of the way
    /// there and back. One that was called off, such as the slower of two, is in neither.
    private let answered: Timer
    private let failed: Timer
    /// 0 closed, 1 half-open, 2 open.
    private let breaker: Gauge

    init(service: String, factory: any MetricsFactory) {
        func counter(_ label: String) -> Counter {
            Counter(label: label, dimensions: [("service", service)], factory: factory)
        }
        attempts = counter("downstream_attempts_total")
        retries = counter("downstream_retries_total")
        denied = counter("downstream_retries_denied_total")
        hedges = counter("downstream_hedges_total")
        hedgesWon = counter("downstream_hedges_won_total")
        leftAlone = counter("downstream_left_alone_total")
        func timer(_ outcome: String) -> Timer {
            Timer(
                label: "downstream_attempt_duration_seconds", dimensions: [("service", service), ("outcome", outcome)],
                factory: factory)
        }
        answered = timer("answered")
        failed = timer("failed")
        breaker = Gauge(label: "circuit_breaker_state", dimensions: [("service", service)], factory: factory)
    }

    func ended(after duration: Duration, isFailure: Bool) {
        (isFailure ? failed : answered).recordNanoseconds(duration.nanoseconds)
    }

    func show(_ state: CircuitBreaker.State) {
        switch state {
        case .closed: breaker.record(0)
        case .halfOpen: breaker.record(1)
        case .open: breaker.record(2)
        }
    }
}
