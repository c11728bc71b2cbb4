import HTTPTypes
import Logging
import ServiceLifecycle
import Shared
import Synchronization
import TestSupport

/// The one endpoint of the scenario runner that services ask.
public final class FakeRunner: Sendable {
    private struct State {
        var settings = ServiceSettings(version: 1, seed: 7, failureModes: .off)
        var polls = 0
        /// The version that the last poll named: the one in force at whoever polled.
        var followedVersion = 0
        var isAway = false
        var isClosed = false
    }
    private let state = Mutex(State())

    public init() {}

    /// How many polls have come.
    public var polls: Int { state.withLock { $0.polls } }

    /// Whether the last change is in force at the service that follows.
    public var isFollowed: Bool { state.withLock { $0.followedVersion == $0.settings.version } }

    /// Answers nothing but 503 until it is back; the polls that wait end with it.
    public func setAway(_ isAway: Bool) { state.withLock { $0.isAway = isAway } }

    /// Changes the failure modes, as a person does on the page.
    public func change(
        seed: UInt64 = 7, lease: Int = 15, resilience: ResilienceSettings? = nil,
        _ change: (inout FailureModes) -> Void = { _ in }
    ) {
        state.withLock { state in
            var modes = state.settings.failureModes
            change(&modes)
            state.settings = ServiceSettings(
                version: state.settings.version + 1, leaseS: lease, seed: seed, failureModes: modes,
                resilience: resilience ?? state.settings.resilience)
        }
    }

    /// Runs it on a port of its own while `body` runs.
    public func run<Value: Sendable>(
        logger: Logger, _ body: @escaping @Sendable (_ baseURL: String) async throws -> Value
    ) async throws -> Value {
        try await withServices(logger: logger) { onServerRunning in
            let settings = HTTPServerSettings(name: "fake-runner", host: "127.0.0.1", port: 0, about: "Settings")
            let route = Route.get("/api/service-settings") { request, _ in
                let version = try request.queryInteger("version", in: 0...Int.max, default: 0)
                let wait = try request.queryInteger("wait", in: 0...60, default: 0)
                return try .json(await self.settings(otherThan: version, within: .seconds(wait)))
            }
            return [
                HTTPServer(settings: settings, logger: logger)
                    .application(routes: [route], openAPI: [], onServerRunning: onServerRunning)
            ]
        } body: { baseURL in
            // A poll that still waits would hold up the server's end.
            defer { self.state.withLock { $0.isClosed = true } }
            return try await body(baseURL)
        }
    }

    private func settings(otherThan version: Int, within wait: Duration) async throws -> ServiceSettings {
        state.withLock { state in
            state.polls += 1
            state.followedVersion = version
        }
        let deadline = ContinuousClock.now.advanced(by: wait)
        while true {
            let (settings, isAway, isClosed) = state.withLock { ($0.settings, $0.isAway, $0.isClosed) }
            if isAway { throw Problem.retryLater(.serviceUnavailable, "The runner is away.", seconds: 1) }
            if settings.version != version || isClosed || ContinuousClock.now >= deadline { return settings }
            try await Task.sleep(for: .milliseconds(5))
        }
    }
}
