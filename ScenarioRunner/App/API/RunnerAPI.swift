import Experiments
import Foundation
import HTTPTypes
import Hummingbird
import Load
import Logging
import ServiceLifecycle
import Shared

/// The runner's HTTP interface: the page, the API under both of its prefixes, and what all four servers have.
///
/// ```
///   /, /app.css, ...                       the page
///   /api/...  = /scenario-runner/api/...   runs, scenarios, payment failures, live picture
///   /health, /metrics, /openapi.yaml       HTTPServer
/// ```
struct RunnerAPI: Sendable {
    let runs: RunsController
    let load: LoadController
    let topology: TopologyController
    let payments: PaymentsController
    let system: SystemController
    let failureModes: FailureModesStore
    let events: EventHub
    let live: LiveHistory
    let locust: LocustService

    /// Where older links and scripts look for the API.
    static let olderPrefix = "/scenario-runner"

    /// The endpoints under their own paths.
    var apiRoutes: [Route] {
        let (manager, loads, watch) = (runs.manager, load.manager, topology.watch)
        let snapshot: @Sendable () async -> EventHub.Event? = {
            let time = UnixTime.now.seconds
            let (seconds, marks) = live.recent(at: time)
            return EventHub.Event(
                name: "snapshot",
                value: Snapshot(
                    time: time, failureModes: failureModes.settings.failureModes,
                    resilience: failureModes.settings.resilience,
                    halt: HaltStatus(isHalted: manager.isHalted), rateLimit: manager.rateLimitStatus,
                    runs: manager.views, seconds: seconds, marks: marks, topology: watch.document,
                    load: loads.current()?.view, locust: locust.current))
        }
        return runs.routes + ReportsController(manager: manager).routes
            + ScenariosController(runs: runs, failureModes: failureModes, locust: locust.catalogue).routes
            + LocustController(service: locust).routes
            + HaltController(
                manager: manager, failureModes: failureModes, events: events, loads: loads, locust: locust
            ).routes
            + PaymentScenariosController(
                store: failureModes, events: events, isHalted: { manager.isHalted }
            ).routes
            + load.routes
            + ResilienceController(
                resilience: ResilienceSwitch(store: failureModes, events: events), holder: { manager.resilienceHolder }
            ).routes
            + EventsController(hub: events, snapshot: snapshot).routes
            + topology.routes + payments.routes + system.routes
    }

    /// Everything but what all servers have.
    ///
    /// - Throws: ``SettingsError`` when the page's files are missing.
    func routes() throws -> [Route] {
        let page = try StaticFiles(folder: Bundle.module.bundleURL.appendingPathComponent("Public"))
        let api = apiRoutes
        return page.routes + api + api.map { Route($0.method, Self.olderPrefix + $0.path, $0.handler) }
    }

    /// The server, ready to run in a service group.
    ///
    /// - Parameter callers: whose requests it takes.
    /// - Throws: ``SettingsError`` when the page's files are missing.
    func application(host: String, port: Int, callers: CallerRule, logger: Logger) throws -> some Service {
        var settings = HTTPServerSettings(name: "scenario-runner", host: host, port: port, about: "Scenario runner")
        settings.headers = Self.headers
        settings.check = callers.check
        return HTTPServer(settings: settings, logger: logger).application(routes: try routes(), openAPI: Self.openAPI)
    }

    /// What a browser is told of every answer: it is what it says it is, it loads nothing, and it stays in its origin.
    /// The page and the reports, which do more, say so themselves.
    static let headers: HTTPFields = [
        .xContentTypeOptions: "nosniff", .contentSecurityPolicy: "default-src 'none'; frame-ancestors 'none'",
        .referrerPolicy: "no-referrer", .crossOriginResourcePolicy: "same-origin",
        .crossOriginOpenerPolicy: "same-origin",
    ]

    /// Of reports, whose script and style stand in them: the page shows them in a frame. Whatever found its way into one
    /// has an origin of its own that nobody else has, so that it reads nothing of the runner's; it opens no connection;
    /// and what it might send by other ways, ``CallerRule`` refuses.
    static let reportPolicy =
        "sandbox allow-scripts allow-popups allow-downloads; connect-src 'none'; object-src 'none'; base-uri 'none'; "
        + "form-action 'none'; frame-ancestors 'self'"

    /// The description of ``apiRoutes``, the page and what all servers have.
    static var openAPI: [UInt8] { PackageResources.openapi_yaml }

    private struct Snapshot: Encodable {
        /// When it was taken, in Unix seconds.
        let time: Double
        let failureModes: FailureModes
        let resilience: ResilienceSettings
        let halt: HaltStatus
        let rateLimit: RateLimitStatus
        let runs: [RunView]
        /// The last minutes.
        let seconds: [LiveWindow.Second]
        let marks: [LiveHistory.Mark]
        let topology: TopologyDocument
        /// Absent when none was started.
        let load: LoadView?
        let locust: LocustRun?

        enum CodingKeys: String, CodingKey {
            case time, halt, resilience, runs, seconds, marks, topology, load, locust
            case failureModes = "failure_modes"
            case rateLimit = "rate_limit"
        }
    }
}
