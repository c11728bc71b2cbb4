import Foundation
import Logging
import Metrics
import ServiceLifecycle
import Synchronization

/// Keeps a service's settings those of the scenario runner.
///
/// ```
///   runner <--GET /api/service-settings?version=7&wait=5-- run loop --> lease --> current (read by every request)
///             answers at once on a change, after 5 s without        '--> gauges, one log line a change
/// ```
///
/// A change is in force as soon as its answer arrives. While the runner is away, what was in force stays so until
/// its lease is over; then every failure is off, and the resilience patterns are those of the fallback.
public final class SettingsFollower: Service, Sendable {
    /// The pause after a poll that failed, or that brought nothing new at once: the loop never spins.
    static let retryPause = Duration.milliseconds(250)

    private let runnerURL: String?
    private let name: String
    private let waitSeconds: Int
    private let client: HTTPClient
    private let logger: Logger
    private let versionGauge: Gauge
    private let failuresCounter: Counter
    private let lease = Mutex(SettingsLease())

    /// - Parameters:
    ///   - runnerURL: the runner's base URL; nil where there is none: everything stays off.
    ///   - name: the replica's, which tells the runner who follows.
    ///   - waitSeconds: how long the runner may hold a poll. A third of the lease, so that two polls may fail before
    ///     it is over.
    public init(
        runnerURL: String?, name: String = "", waitSeconds: Int = 5, client: HTTPClient, metrics: any MetricsFactory,
        logger: Logger
    ) {
        self.runnerURL = runnerURL
        self.name = name
        self.waitSeconds = waitSeconds
        self.client = client
        self.logger = logger
        versionGauge = Gauge(label: "service_settings_version", factory: metrics)
        failuresCounter = Counter(label: "service_settings_poll_failures_total", factory: metrics)
    }

    /// The settings in force now.
    public var current: ServiceSettings { lease.withLock { $0.effective(at: .now) } }

    public func run() async throws {
        guard let runnerURL else {
            // A service that returns would end its whole group.
            try? await gracefulShutdown()
            return
        }
        await cancelWhenGracefulShutdown { await self.follow(runnerURL) }
    }

    private func follow(_ runnerURL: String) async {
        var isAway = false
        while !Task.isCancelled {
            let start = ContinuousClock.now
            var isNew = false
            do {
                isNew = apply(try await poll(runnerURL))
                if isAway { logger.info("the scenario runner is back") }
                isAway = false
            } catch {
                guard !Task.isCancelled else { return }
                failuresCounter.increment()
                // Once an absence, not four times a second.
                if !isAway { logger.warning("the scenario runner does not answer", metadata: ["error": "\(error)"]) }
                isAway = true
            }
            if !isNew, ContinuousClock.now - start < Self.retryPause || isAway {
                try? await Task.sleep(for: Self.retryPause)
            }
        }
    }

    private func poll(_ runnerURL: String) async throws -> ServiceSettings {
        // What is in force, not what was last received: after the lease the runner must answer at once.
        let query = "version=\(current.version)&wait=\(waitSeconds)&follower=\(URLEscape.pathSegment(name))"
        let response = try await client.execute(
            HTTPClientRequest(
                url: "\(runnerURL)/api/service-settings?\(query)",
                // The wait, and time for the way there and back.
                timeout: .seconds(waitSeconds + 2), maxResponseBytes: 64 * 1024))
        guard response.status == 200 else { throw PollError.status(response.status) }
        return try JSONDecoder().decode(ServiceSettings.self, from: response.body)
    }

    /// - Returns: whether the answer changed anything.
    private func apply(_ settings: ServiceSettings) -> Bool {
        let isNew = lease.withLock { $0.received(settings, at: .now) }
        guard isNew else { return false }
        versionGauge.record(settings.version)
        logger.info(
            "settings changed",
            metadata: [
                "version": .stringConvertible(settings.version), "seed": "\(settings.seed)",
                "failure_modes": "\(settings.failureModes.enabledNames)", "resilience": "\(settings.resilience)",
            ])
        return true
    }

    private enum PollError: Error {
        case status(Int)
    }
}

extension FailureModes {
    /// The modes that are on, with their probabilities in percent: `card-decline 20.0`.
    var enabledNames: [String] {
        var names: [String] = []
        if stolenCardEnabled { names.append("stolen-card \(stolenCardProbability)") }
        if cardDeclineEnabled { names.append("card-decline \(cardDeclineProbability)") }
        if gatewayTimeoutEnabled { names.append("gateway-timeout \(gatewayTimeoutProbability)") }
        return names
    }
}
