import ArgumentParser
import Load

/// Whose runner a command asks.
enum RunnerTarget: String, CaseIterable, ExpressibleByArgument {
    case lab, kubernetes
}

/// Where a command finds the runner that it asks, and what to do when nobody answers there.
struct RunnerAddress: Sendable, Equatable {
    private enum Place: Equatable {
        /// The lab that keeps its things in this folder.
        case lab(folder: String)
        /// The runner in a cluster, through a port-forward to this port.
        case cluster(port: Int)
        case elsewhere
    }

    /// `http://127.0.0.1:8000`
    let url: String
    private let place: Place

    static let namespace = "payment-chaos"
    static let clusterURL = "http://localhost:8000"

    init(lab: LabFolder.State, folder: String) { (url, place) = (lab.runnerURL, .lab(folder: folder)) }

    /// - Parameter url: a base URL.
    init(cluster url: String) {
        let port = url.split(separator: ":").last.flatMap { Int($0) } ?? 80
        (self.url, place) = (url, .cluster(port: port))
    }

    init(elsewhere url: String) { (self.url, place) = (url, .elsewhere) }

    /// How long a command that follows a run lives with a runner that does not answer: a port-forward that broke off is
    /// soon there again, a lab that is gone is gone.
    var patience: Duration { if case .lab = place { .zero } else { .seconds(30) } }

    /// What to say when nobody answers.
    var silence: LabError {
        switch place {
        case .lab: LabError("the lab at \(url) does not answer; is it still running?")
        case .cluster(let port):
            LabError(
                "no runner answers at \(url); forward it with "
                    + "'kubectl -n \(Self.namespace) port-forward svc/scenario-runner \(port):8000', "
                    + "or name its address with --runner")
        case .elsewhere: LabError("no runner answers at \(url); start it, or correct --runner")
        }
    }

    /// Where a run's file is to be found, for people.
    ///
    /// - Parameter kind: `json` for the journal, `html` for the report.
    func file(of runID: String, _ kind: String) -> String {
        guard case .lab(let folder) = place else {
            return "\(url)/api/runs/\(runID)/report" + (kind == "html" ? "" : "?format=\(kind)")
        }
        return "\(folder)/runs/\(runID).\(kind)"
    }

    /// The same of a Locust run.
    func locustFiles(of runID: String) -> String {
        guard case .lab(let folder) = place else { return "\(url)/api/locust/runs/\(runID)" }
        return "\(folder)/runs/\(runID).{html,json,log}"
    }
}

/// Options of every command that asks a runner.
struct TargetOptions: ParsableArguments {
    @Option(help: "lab, or kubernetes: the runner in a cluster, behind 'kubectl port-forward'.")
    var target = RunnerTarget.lab

    @Option(
        name: .customLong("runner"),
        help: "Where the asked runner answers. With --target kubernetes: \(RunnerAddress.clusterURL) by default.")
    var runnerURL: String?

    mutating func validate() throws {
        guard let runnerURL else { return }
        guard LoadProfile.isBaseURL(runnerURL) else {
            throw ValidationError("--runner must be like \(RunnerAddress.clusterURL)")
        }
    }

    /// Nil when the lab is meant.
    var address: RunnerAddress? {
        switch (target, runnerURL) {
        case (.kubernetes, let url): RunnerAddress(cluster: url ?? RunnerAddress.clusterURL)
        case (.lab, let url?): RunnerAddress(elsewhere: url)
        case (.lab, nil): nil
        }
    }

    /// What says that no lab is meant.
    var given: String { target == .kubernetes ? "--target kubernetes" : "--runner" }

    /// For a command that starts no lab of its own.
    ///
    /// - Parameter folder: `--state` of the command.
    /// - Throws: ``LabError`` when the lab is meant and none runs.
    func client(lab folder: String) throws -> RunnerClient {
        try RunnerClient(address: address ?? RunnerAddress(lab: LabFolder.runningLab(in: folder), folder: folder))
    }
}
