import HTTPTypes
import Metrics
import Shared

/// The warehouse that every customer's call asks, over a pool of connections of bounded size.
///
/// ```
///   call --> waits for a connection, first come, first served --> is in the warehouse for a fixed time --> answer
///                 '--too many wait: 503                '--its caller has given up: 504, at no cost
/// ```
///
/// It is simulated as the payment gateway is: the wait for a connection is real, the time in the warehouse is slept.
/// So a replica's capacity is `connections / hold`, whatever the machine can do, and load near it can be chosen
/// beforehand. Without a pool in the settings in force, calls go straight to the store.
///
/// A call in line does not see its caller leave. It is dropped at its turn where the caller's deadline came with it
/// and is honoured; else it gets its connection, and the warehouse works for nobody.
struct Warehouse: Sendable {
    /// Of each replica; more are refused. Long against what callers wait for: a pool's default is often no limit at all.
    static let maxWaiting = 128

    private let pool: @Sendable () -> InventoryPool?
    private let line: Bulkhead
    private let waitingGauge: Gauge
    private let droppedCounter: Counter

    init(metrics: any MetricsFactory, pool: @escaping @Sendable () -> InventoryPool?) {
        self.pool = pool
        line = Bulkhead(maxWaiting: Self.maxWaiting) { pool()?.connections ?? .max }
        waitingGauge = Gauge(label: "inventory_pool_waiting", factory: metrics)
        droppedCounter = Counter(label: "inventory_pool_dropped_total", factory: metrics)
    }

    /// - Throws: ``Problem`` 503 when too many wait, 504 when the caller has given up meanwhile.
    func visit<Value>(_ work: () async throws -> Value) async throws -> Value {
        guard pool() != nil else { return try await work() }
        waitingGauge.record(line.waitingCount)
        do {
            return try await line.run {
                if let deadline = RequestDeadline.current, deadline.remaining <= .zero {
                    droppedCounter.increment()
                    throw Problem(
                        .gatewayTimeout,
                        "The deadline of the request passed while it waited for the warehouse: timeout.")
                }
                let end = ContinuousClock.now + .milliseconds(pool()?.holdMs ?? 0)
                let result = try await work()
                try await Task.sleep(until: end, clock: .continuous)
                return result
            }
        } catch is BulkheadFull {
            throw Problem.retryLater(
                .serviceUnavailable, "Too many requests wait for the warehouse.", seconds: 1)
        }
    }
}
