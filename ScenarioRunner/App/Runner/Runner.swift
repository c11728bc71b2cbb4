import Experiments
import Foundation
import Hummingbird
import Load
import Logging
import ServiceLifecycle
import Shared

/// The runner itself, the same in the lab and in a cluster: runs, loads and Locust, the picture of the system, and the
/// API and the page over all of them.
///
/// ```
///   engine, system under test --> Runner --> services, to be started in this order and ended in reverse
/// ```
struct Runner: Sendable {
    /// What a runner works on.
    struct Site: Sendable {
        let system: SystemUnderTest
        /// Puts single faults in force.
        let engine: any ChaosEngine
        /// Looks whether an experiment can begin now, where that depends on others.
        var preflight: @Sendable (Experiment) async throws -> Void = { _ in }
        /// How long a fault may take to be in force, where that is longer than a moment.
        var injectionTime: Duration?
        /// What the callers say of a fault, where the engine counts nothing.
        var witness: PathWitness?
        /// What every journal says of the place.
        let journal: RunSite
    }

    /// Where its API listens.
    struct Address: Sendable {
        let host: String
        let port: Int
        /// Whose requests it takes.
        var callers = CallerRule()
    }

    let services: [any Service]
    /// What whoever starts the runner should know; nil when all is well.
    let warning: String?

    /// - Throws: ``SettingsError`` when the page's files are missing.
    init(settings: RunnerSettings, site: Site, address: Address, client: HTTPClient, logger: Logger) throws {
        let (system, targets) = (site.system, site.system.targets)
        let events = EventHub()
        let live = LiveHistory(events: events)
        let failureModes = FailureModesStore(seed: settings.seed, onChange: { live.mark($0) })
        let board = FaultBoard()
        let engine = TimelineEngine(
            base: BoardedEngine(base: site.engine, board: board),
            tools: TimelineTools(
                setFailureModes: { modes in events.publish("failure_modes", failureModes.change { $0 = modes }) },
                areModesFollowed: { failureModes.isFollowed }, ask: StatusProbe(system: system).ask,
                willEnd: board.ends(_:at:)))
        let auditor = MoneyAuditor(
            client: client, paymentURL: targets.payment, inventoryURL: targets.inventory,
            notificationURL: targets.notification)
        let restock = Restock(client: client, inventoryURL: targets.inventory)
        let worker = LoadWorkerProcess(system: system)
        let runs = RunManager(
            engine: engine,
            execution: RunExecution(
                engine: engine, load: worker, restock: restock.run, logger: logger, site: site.journal,
                checkMoney: auditor.check(history:unless:), glanceAtMoney: auditor.glance,
                glanceAtBacklog: BacklogProbe(client: client, paymentURL: targets.payment).glance,
                witness: site.witness,
                resilience: ResilienceSwitch(store: failureModes, events: events)),
            folder: settings.folder,
            governor: Governor(cooldown: .seconds(settings.cooldownSeconds), allowsTotal: settings.allowTotal),
            haltMark: settings.remembersHalt ? HaltMark(folder: settings.folder, logger: logger) : nil,
            allReplicas: { Set(system.replicas().map(\.name)) }, preflight: site.preflight, events: events,
            live: live, logger: logger)
        let isHalted = { @Sendable in runs.isHalted }
        let loads = LoadManager(
            worker: worker, restock: restock.run, isHalted: isHalted, events: events, live: live, logger: logger)
        let locust = LocustService(
            catalogue: LocustCatalogue(folder: settings.locust.profilesFolder),
            driver: system.locustDriver(settings.locust, folder: settings.folder, client: client),
            folder: settings.folder, isHalted: isHalted, events: events, live: live, logger: logger)
        let watch = TopologyWatch(
            system: system, engine: engine.name,
            sources: .init(
                runs: { runs.activeViews }, failureModes: { failureModes.settings.failureModes },
                failureModesHolder: { runs.failureModesHolder }, load: { loads.current(since: .max)?.view },
                locust: { locust.current }, metrics: MetricsReader(client: client).read),
            board: board, events: events)
        let experiments = ExperimentFolder(
            path: settings.experimentsFolder, refusal: { engine.refusal(of: $0) }, events: events)
        let api = try RunnerAPI(
            runs: RunsController(
                manager: runs, engine: engine, experiments: experiments, profilesFolder: settings.profilesFolder,
                cooldownMinutes: Double(settings.cooldownSeconds) / 60, injectionTime: site.injectionTime),
            load: LoadController(manager: loads, profilesFolder: settings.profilesFolder, targets: targets),
            topology: TopologyController(watch: watch),
            payments: PaymentsController(reader: PaymentStoryReader(client: client, paymentURL: targets.payment)),
            system: SystemController(
                look: SystemLook(system: system, client: client, runs: { runs.activeViews }),
                checkMoney: { await auditor.check(history: []) }),
            failureModes: failureModes, events: events, live: live, locust: locust
        ).application(host: address.host, port: address.port, callers: address.callers, logger: logger)
        services = [api, runs, loads, locust, watch, experiments]
        warning = CatalogueProblems.warning(experiments.contents.catalogue, folder: experiments.path)
        if let warning { logger.warning("\(warning)") }
    }
}
