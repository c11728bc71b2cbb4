import Foundation
import Logging
import ServiceLifecycle
import UnixSignals

/// How a server process lives: settings first, then one service group, then an exit code with a meaning.
public enum ServiceMain {
    /// How long requests in flight may take after SIGTERM. With the time for cancellation it stays under the 20 s of
    /// the contract.
    public static let drainTime = Duration.seconds(15)
    private static let cancellationTime = Duration.seconds(3)

    /// Runs the services until SIGTERM or SIGINT, and ends them in the reverse order.
    public static func run(_ services: [any Service], logger: Logger) async throws {
        var configuration = ServiceGroupConfiguration(
            services: services, gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        configuration.maximumGracefulShutdownDuration = drainTime
        configuration.maximumCancellationDuration = cancellationTime
        try await ServiceGroup(configuration: configuration).run()
    }

    /// Runs `body` and ends the process with the exit code of what it throws: 78 for bad configuration, 69 for
    /// anything else that keeps a server from running. An error is one line on standard error.
    public static func main(_ body: @Sendable () async throws -> Void) async {
        do {
            try await body()
        } catch let error as SettingsError {
            exit("\(error)", code: 78)
        } catch {
            exit("cannot run: \(error)", code: 69)
        }
    }

    private static func exit(_ message: String, code: Int32) -> Never {
        FileHandle.standardError.write(Data("\(message)\n".utf8))
        Foundation.exit(code)
    }
}
