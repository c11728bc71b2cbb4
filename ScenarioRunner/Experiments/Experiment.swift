import Shared

/// One fault, as its manifest states it.
///
/// ```
///   chaos-experiments/*.yaml --ManifestLoader--> Experiment --LabSupport--> engine
///                                   |                 |
///                                Refusal              |--> ExperimentDocument (cards, GET /api/experiments)
///                                                     '--> manifest (YAML again)
/// ```
public struct Experiment: Sendable, Equatable {
    /// What the fault is.
    public indirect enum Spec: Sendable, Equatable {
        case network(NetworkChaosSpec)
        case stress(StressChaosSpec)
        case pod(PodChaosSpec)
        case http(HTTPChaosSpec)
        case io(IOChaosSpec)
        case schedule(ScheduleSpec)
        case workflow(WorkflowSpec)
        case statusCheck(StatusCheckSpec)
        case failureModes(FailureModesSpec)
        /// A kind that is not read, only listed, with its spec as it stands.
        case other(ManifestTree)
    }

    /// The annotation that says in a sentence what the experiment does.
    public static let descriptionAnnotation = "payment-chaos.io/description"
    /// The annotation that says what is expected: see ``Hypothesis``.
    public static let hypothesisAnnotation = "payment-chaos.io/hypothesis"
    /// The annotation that says when to end early: see ``StopCondition``.
    public static let stopAnnotation = "payment-chaos.io/stop-when"
    /// The annotation that says how the services guard themselves during a measured run: `hardened`, `retry-storm +
    /// retry_budget, inventory pool 2 x 80ms`.
    public static let resilienceAnnotation = "payment-chaos.io/resilience"
    /// The annotation that says who runs a workflow or a schedule in a cluster: see ``isWhole``.
    public static let runByAnnotation = "payment-chaos.io/run-by"
    /// The annotation that says how many requests a second a measured run makes when nobody says: `18/s`.
    public static let rateAnnotation = "payment-chaos.io/rate"

    public let name: String
    /// `NetworkChaos`, `Schedule`, ... as the manifest says; `FailureModes` for a ConfigMap that holds them.
    public let kind: String
    /// The manifest's path as the user named it.
    public let file: String
    /// The line of the name, from 1.
    public let line: Int
    public let namespace: String
    public let labels: [String: String]
    public let annotations: [String: String]
    /// What is expected to hold; nil when the manifest does not say.
    public let hypothesis: Hypothesis?
    public let stopConditions: [StopCondition]
    /// Nil when the manifest does not say.
    public var resilience: ResilienceSettings?
    /// Nil when the manifest does not say.
    public var rate: Int?
    public let spec: Spec
    /// Where the spec stands: `spec`, or `spec.networkChaos` for what a schedule starts.
    let specPath: String
    /// Where every field stands: `spec.loss.correlation` to its line.
    let lines: [String: Int]

    /// What the experiment does, in a sentence; empty when the manifest does not say.
    public var description: String { annotations[Self.descriptionAnnotation] ?? "" }

    /// Whether Chaos Mesh is to run this workflow or schedule itself, as one object, rather than the runner part by part.
    public var isWhole: Bool { annotations[Self.runByAnnotation] == RunBy.chaosMesh.rawValue }

    /// What ``runByAnnotation`` may say.
    enum RunBy: String, CaseIterable {
        case runner
        case chaosMesh = "chaos-mesh"
    }

    /// How long the fault lasts; nil when the manifest does not say.
    public var duration: Duration? {
        switch spec {
        case .network(let network): network.duration
        case .stress(let stress): stress.duration
        case .pod(let pod): pod.duration
        case .http(let http): http.duration
        case .io(let io): io.duration
        case .workflow(let workflow): workflow.longest
        case .statusCheck(let check): check.duration
        case .failureModes(let modes): modes.duration
        case .schedule, .other: nil
        }
    }

    /// Whether the manifest itself has `field`, rather than a default in its place: `metadata.namespace`,
    /// `spec.selector.namespaces`.
    public func mentions(_ field: String) -> Bool { lines[place(of: field)] != nil }

    private func place(of field: String) -> String {
        field == "spec" || field.hasPrefix("spec.") ? specPath + field.dropFirst("spec".count) : field
    }

    /// Why this experiment is not run, pointing at `field`, or at the nearest field around it that is in the file.
    ///
    /// - Parameter field: `kind`, or a field of the spec: `spec.loss.correlation`.
    public func refusal(_ field: String, _ reason: String) -> Refusal {
        let full = place(of: field)
        var place = full
        while lines[place] == nil, let end = place.lastIndex(where: { $0 == "." || $0 == "[" }) {
            place = String(place[..<end])
        }
        return Refusal(file: file, line: lines[place] ?? line, field: full, reason: reason)
    }
}
