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
    ///
    /// With `EXIT_WITH_PARENT=true` in the environment the process also ends when the one that started it does. Its
    /// number in place of `true` says which one that is, and so also when it ended before this one could ask.
    public static func run(_ services: [any Service], logger: Logger) async throws {
        let leash = ProcessInfo.processInfo.environment["EXIT_WITH_PARENT"]
        let parent = leash == "true" ? getppid() : leash.flatMap(pid_t.init)
        var configuration = ServiceGroupConfiguration(
            services: services + (parent.map { [ParentWatch(parent: $0)] } ?? []),
            gracefulShutdownSignals: [.sigterm, .sigint],
            logger: logger)
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

/// Ends the group when the parent process is gone: a lab without namespaces has no kernel that does it.
private struct ParentWatch: Service {
    let parent: pid_t
    private static let interval = Duration.milliseconds(200)

    struct ParentGone: Error, CustomStringConvertible {
        let description = "the process that started this one is gone"
    }

    func run() async throws {
        try await cancelWhenGracefulShutdown {
            while getppid() == parent {
                guard (try? await Task.sleep(for: Self.interval)) != nil else { return }
            }
            throw ParentGone()
        }
    }
}
