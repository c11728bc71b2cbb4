import ArgumentParser
import Cluster
import Foundation
import Logging
import Shared

/// `scenario-runner serve`: the runner of a cluster.
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Run the page and the API for the system in a Kubernetes cluster.",
        discussion: """
            In a pod it uses the pod's service account; at your desk a kubeconfig, and port-forwards to the three services \
            on 5002, 5003 and 5004; where there is neither, it refuses every fault but failure modes.

            Settings come from the environment: HOST, PORT, LOG_LEVEL, STATE_FOLDER, EXPERIMENTS_FOLDER, \
            PROFILES_FOLDER, LOCUST_FOLDER, PAYMENT_SERVICE, INVENTORY_SERVICE, NOTIFICATION_SERVICE, \
            SCENARIO_RUNNER_ENVIRONMENT (local or production), ALLOW_TOTAL (true or false), CHAOS_TIMEOUT (seconds), SEED.

            Exit codes: 0 it ended in order, 69 something is missing, 78 bad configuration.
            """)

    @OptionGroup var cluster: KubeconfigOptions

    @Option(help: "Where to listen, instead of PORT.")
    var port: Int?

    @Option(name: .customLong("state"), help: "Folder for journals, instead of STATE_FOLDER.")
    var stateFolder: String?

    func run() async throws {
        var environment = ProcessInfo.processInfo.environment
        if let port { environment["PORT"] = String(port) }
        if let stateFolder { environment["STATE_FOLDER"] = stateFolder }
        let settings = try ServeSettings(
            environment: environment, pod: .detect(environment: environment),
            access: cluster.meansCluster(environment: environment) ? cluster.access(environment: environment) : nil)
        JSONLogHandler.bootstrap(service: "scenario-runner", level: settings.logLevel)
        try await ServeRuntime(settings: settings, logger: Logger(label: "scenario-runner")).run()
    }
}
