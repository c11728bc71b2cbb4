import Logging
import ServiceLifecycle
import Shared

/// Looks for work again and again: at once while there is some, after a pause when there was none.
struct Worker: Service {
    let name: String
    /// Between two rounds without work.
    let period: Duration
    let logger: Logger
    /// Does a bounded batch of work and returns how much there was.
    let round: @Sendable () async throws -> Int

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                guard await doRound() == 0 else { continue }
                try? await Task.sleep(for: period)
            }
        }
    }

    private func doRound() async -> Int {
        do {
            return try await round()
        } catch {
            if !Task.isCancelled {
                logger.warning("a worker's round failed", metadata: ["worker": "\(name)", "error": "\(error)"])
            }
            return 0
        }
    }
}
