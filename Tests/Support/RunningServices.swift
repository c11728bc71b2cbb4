import Logging
import ServiceLifecycle

/// Starts services as `main` does, on a port that the kernel chooses, and ends them in order after `body`.
///
/// - Parameters:
///   - build: gets what to call once the server listens.
///   - body: gets the base URL.
public func withServices<Value>(
    logger: Logger, build: (@escaping @Sendable (_ port: Int) async -> Void) -> [any Service],
    body: (_ baseURL: String) async throws -> Value
) async throws -> Value {
    try await withServices(logger: logger, build: build) { port, _ in try await body("http://127.0.0.1:\(port)") }
}

/// The same for who wants the port, and the group to shut it down.
func withServices<Value>(
    logger: Logger, build: (@escaping @Sendable (_ port: Int) async -> Void) -> [any Service],
    body: (_ port: Int, _ group: ServiceGroup) async throws -> Value
) async throws -> Value {
    let (ports, continuation) = AsyncStream<Int>.makeStream()
    var configuration = ServiceGroupConfiguration(
        services: build { port in
            continuation.yield(port)
            continuation.finish()
        }, logger: logger)
    configuration.maximumGracefulShutdownDuration = .seconds(20)
    configuration.maximumCancellationDuration = .seconds(1)
    let group = ServiceGroup(configuration: configuration)
    return try await withThrowingTaskGroup(of: Void.self) { tasks in
        tasks.addTask {
            defer { continuation.finish() }
            try await group.run()
        }
        guard let port = await ports.first(where: { _ in true }) else {
            try await tasks.waitForAll()
            throw NotRunning()
        }
        let result: Result<Value, any Error>
        do { result = .success(try await body(port, group)) } catch { result = .failure(error) }
        await group.triggerGracefulShutdown()
        try await tasks.waitForAll()
        return try result.get()
    }
}

/// The services ended before they listened.
public struct NotRunning: Error {}
