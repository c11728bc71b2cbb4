import Logging
import ServiceLifecycle

/// Starts services as `main` does, on a port that the kernel chooses, and ends them in order after `body`.
///
/// - Parameters:
///   - build: gets what to call once the server listens.
///   - body: gets the base URL.
public func withServices<Value: Sendable>(
    logger: Logger, build: (@escaping @Sendable (_ port: Int) async -> Void) -> [any Service],
    body: @escaping @Sendable (_ baseURL: String) async throws -> Value
) async throws -> Value {
    let (ports, continuation) = AsyncStream<Int>.makeStream()
    let services = build { port in
        continuation.yield(port)
        continuation.finish()
    }
    let group = ServiceGroup(configuration: .init(services: services, logger: logger))
    return try await withThrowingTaskGroup(of: Void.self) { tasks in
        tasks.addTask {
            defer { continuation.finish() }
            try await group.run()
        }
        guard let port = await ports.first(where: { _ in true }) else { throw NotRunning() }
        let result: Result<Value, any Error>
        do { result = .success(try await body("http://127.0.0.1:\(port)")) } catch { result = .failure(error) }
        await group.triggerGracefulShutdown()
        try await tasks.waitForAll()
        return try result.get()
    }
}

/// The services ended before they listened.
public struct NotRunning: Error {}
