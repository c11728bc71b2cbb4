import Experiments
import Foundation
import Hummingbird
import Logging
import Sandbox
import ServiceLifecycle
import Shared

/// The runner's HTTP server: the page, the API under both of its prefixes, and what all four servers have.
struct RunnerAPI: Sendable {
    let server: HTTPServer
    let routes: [Route]

    init(
        settings: LabSettings, world: LabWorld, engine: any ChaosEngine, runs: RunManager,
        failureModes: FailureModesStore, events: EventHub, supervisor: Supervisor, logger: Logger
    ) throws {
        server = HTTPServer(
            settings: .init(
                name: "scenario-runner", host: world.network == nil ? "127.0.0.1" : "0.0.0.0", port: world.runnerPort,
                about: "Scenario runner"),
            logger: logger)
        let runsController = RunsController(
            manager: runs, engine: engine, experimentsFolder: settings.experimentsFolder,
            cooldownMinutes: Double(settings.cooldownSeconds) / 60)
        let page = try StaticFiles(folder: Bundle.module.bundleURL.appendingPathComponent("Public"))
        let snapshot: @Sendable () async -> EventHub.Event? = {
            EventHub.Event(
                name: "snapshot",
                value: Snapshot(
                    failureModes: failureModes.settings.failureModes, rateLimit: runs.rateLimitStatus,
                    runs: runs.views, seconds: runs.recentSeconds))
        }
        let api =
            runsController.routes
            + ScenariosController(runs: runsController, failureModes: failureModes).routes
            + PaymentScenariosController(store: failureModes, events: events).routes
            + EventsController(hub: events, snapshot: snapshot).routes
            + TopologyController(topology: world.topology, statuses: { supervisor.snapshot() }).routes
        routes = page.routes + api + api.map { Route($0.method, "/scenario-runner\($0.path)", $0.handler) }
    }

    var application: some Service {
        server.application(routes: routes, openAPI: PackageResources.openapi_yaml)
    }

    private struct Snapshot: Encodable {
        let failureModes: FailureModes
        let rateLimit: RateLimitStatus
        let runs: [RunView]
        let seconds: [LiveWindow.Second]

        enum CodingKeys: String, CodingKey {
            case runs, seconds
            case failureModes = "failure_modes"
            case rateLimit = "rate_limit"
        }
    }
}
